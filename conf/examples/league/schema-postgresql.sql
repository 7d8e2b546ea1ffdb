-- The league's own tables on PostgreSQL.
CREATE TABLE users (
	uid uuid PRIMARY KEY,
	username varchar(32),
	name varchar(100) NOT NULL,
	lang varchar(8) NOT NULL,
	photo_url varchar(128),
	source varchar(100),
	referrer_uid uuid REFERENCES users (uid),
	created timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	updated timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX users_username ON users (username);
CREATE INDEX users_source ON users (source);
CREATE INDEX users_referrer ON users (referrer_uid);

CREATE TABLE gamematch (
	uid uuid PRIMARY KEY,
	player_1_uid uuid NOT NULL REFERENCES users (uid),
	player_2_uid uuid REFERENCES users (uid),
	bet_coin_amount integer NOT NULL DEFAULT 0,
	finished boolean NOT NULL DEFAULT false,
	player_1_win boolean NOT NULL DEFAULT false,
	player_2_win boolean NOT NULL DEFAULT false,
	created timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	updated timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX gamematch_created ON gamematch (created);
