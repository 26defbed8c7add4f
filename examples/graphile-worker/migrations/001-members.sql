CREATE TABLE members (name text PRIMARY KEY, welcomed timestamptz);
