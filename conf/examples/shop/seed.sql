-- Ten products; the same statement on every engine.
INSERT INTO products (name, category, price, in_stock) VALUES
	('Laptop', 'Electronics', 999.99, true),
	('Smartphone', 'Electronics', 499.99, true),
	('Headphones', 'Electronics', 79.99, true),
	('Python Programming', 'Books', 39.99, true),
	('Database Design', 'Books', 45.99, true),
	('T-Shirt', 'Clothing', 19.99, true),
	('Jeans', 'Clothing', 59.99, true),
	('Coffee Maker', 'Kitchen', 89.99, true),
	('Blender', 'Kitchen', 49.99, true),
	('Out of Stock Item', 'Electronics', 299.99, false);
