-- The shop's own table on SQLite.
CREATE TABLE products (
	id integer PRIMARY KEY,
	name varchar(100) NOT NULL,
	category varchar(50) NOT NULL,
	price float NOT NULL,
	in_stock boolean NOT NULL DEFAULT 1
);
