-- Products in stock, per category.
SELECT category,
       count(id) AS product_count,
       avg(price) AS avg_price,
       min(price) AS min_price,
       max(price) AS max_price
FROM products
WHERE in_stock
GROUP BY category
