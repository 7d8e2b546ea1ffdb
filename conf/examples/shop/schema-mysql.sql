-- The shop's own table on MariaDB and MySQL.
CREATE TABLE products (
	id integer AUTO_INCREMENT PRIMARY KEY,
	name varchar(100) NOT NULL,
	category varchar(50) NOT NULL,
	price double NOT NULL,
	in_stock boolean NOT NULL DEFAULT true
) ENGINE = InnoDB;
