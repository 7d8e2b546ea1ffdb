-- The league's own tables on MariaDB and MySQL.
CREATE TABLE users (
	uid char(36) PRIMARY KEY,
	username varchar(32),
	name varchar(100) NOT NULL,
	lang varchar(8) NOT NULL,
	photo_url varchar(128),
	source varchar(100),
	referrer_uid char(36) REFERENCES users (uid),
	created timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
	updated timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB;
CREATE INDEX users_username ON users (username);
CREATE INDEX users_source ON users (source);
CREATE INDEX users_referrer ON users (referrer_uid);

CREATE TABLE gamematch (
	uid char(36) PRIMARY KEY,
	player_1_uid char(36) NOT NULL REFERENCES users (uid),
	player_2_uid char(36) REFERENCES users (uid),
	bet_coin_amount integer NOT NULL DEFAULT 0,
	finished boolean NOT NULL DEFAULT false,
	player_1_win boolean NOT NULL DEFAULT false,
	player_2_win boolean NOT NULL DEFAULT false,
	created timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
	updated timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB;
CREATE INDEX gamematch_created ON gamematch (created);
