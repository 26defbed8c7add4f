/** SQL that makes what few databases have, by the major that is the first to know it. It stands on `everything`. */
export const rareObjects: readonly { readonly from?: number; readonly sql: string }[] = [
  {
    sql: String.raw`
CREATE TYPE shop.base;
CREATE FUNCTION shop.base_in(cstring) RETURNS shop.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION shop.base_out(shop.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE shop.base (INPUT = shop.base_in, OUTPUT = shop.base_out, LIKE = int4, DEFAULT = '7');
CREATE FUNCTION shop.compare(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR FAMILY shop.orders USING btree;
CREATE OPERATOR CLASS shop.backwards FOR TYPE int USING btree FAMILY shop.orders AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 shop.compare(int, int);
CREATE CONVERSION shop.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH TEMPLATE shop.simple (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH PARSER shop.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE EXTENSION hstore SCHEMA shop;
CREATE TABLE shop.typed OF shop.pair (PRIMARY KEY (a));
CREATE TABLE shop.tuned (
  gone int, n int, CHECK (n > 0) NO INHERIT, always int GENERATED ALWAYS AS IDENTITY (START 5), kept shop.hstore, t text, base shop.base
) WITH (fillfactor = 50, autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE shop.tuned DROP COLUMN gone, ALTER COLUMN t SET (n_distinct = 5), ADD CONSTRAINT later CHECK (t <> '') NOT VALID;
INSERT INTO shop.tuned (n, kept, t) VALUES (1, 'a=>"b\"c"', 'x');
CREATE INDEX tuned_backwards ON shop.tuned (n shop.backwards DESC NULLS LAST) WITH (fillfactor = 70);
CREATE TABLE shop.two () INHERITS (shop.tuned, shop.unlogged);
CREATE TABLE shop.deferred (item int REFERENCES shop.item ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE shop.deferred ADD FOREIGN KEY (item) REFERENCES shop.item NOT VALID;
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON shop.deferred DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE PROCEDURE shop.touch();
CREATE TRIGGER whole AFTER UPDATE ON shop.tuned REFERENCING OLD TABLE AS before NEW TABLE AS after
  FOR EACH STATEMENT EXECUTE PROCEDURE shop.touch('an argument', 'it''s');
ALTER TABLE shop.tuned DISABLE TRIGGER whole;
CREATE VIEW shop.guarded WITH (security_barrier) AS SELECT * FROM shop.item WHERE id > 1;
ALTER VIEW shop.guarded ALTER COLUMN name SET DEFAULT 'none';
CREATE TRIGGER instead INSTEAD OF INSERT ON shop.guarded FOR EACH ROW EXECUTE PROCEDURE shop.touch();
CREATE RULE twice AS ON INSERT TO shop.deferred WHERE NEW.item > 5 DO ALSO (SELECT 1; DELETE FROM shop.unlogged);
CREATE VIEW shop.steps AS WITH RECURSIVE steps (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM steps WHERE n < 5) SELECT count(*) FROM steps;
CREATE MATERIALIZED VIEW shop.unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE POLICY narrow ON shop.item AS RESTRICTIVE TO PUBLIC USING (id > 0) WITH CHECK (id > 0);
ALTER TABLE shop.item FORCE ROW LEVEL SECURITY;
CREATE FUNCTION shop.many(a int, VARIADIC b text[], OUT c int, OUT d text) RETURNS SETOF record LANGUAGE sql STABLE
  SECURITY DEFINER LEAKPROOF PARALLEL SAFE COST 5 ROWS 7 SET search_path = shop, "Odd Schema; --" SET work_mem = '5MB'
  AS $$ SELECT a, b[1] $$;
CREATE FUNCTION shop.behind(anyelement) RETURNS anyelement LANGUAGE internal WINDOW IMMUTABLE STRICT AS 'window_lag';
CREATE AGGREGATE shop.moving (float8) (
  SFUNC = float8_accum, STYPE = float8[], FINALFUNC = float8_avg, INITCOND = '{0,0,0}', COMBINEFUNC = float8_combine, PARALLEL = SAFE
);
CREATE AGGREGATE shop.middle (float8 ORDER BY anyelement) (
  SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA
);
CREATE SEQUENCE shop.small AS smallint INCREMENT -1 OWNED BY shop.tuned.n;
CREATE TABLE shop.kinds (kind text, n int) PARTITION BY LIST (kind);
CREATE TABLE shop.kinds_a PARTITION OF shop.kinds (n DEFAULT 3 NOT NULL) FOR VALUES IN ('a', NULL) PARTITION BY RANGE (n);
CREATE TABLE shop.kinds_a_low PARTITION OF shop.kinds_a FOR VALUES FROM (MINVALUE) TO (10);
INSERT INTO shop.kinds VALUES ('a', 1), (NULL, 2);
CREATE TABLE shop.odd_values AS SELECT
  'NaN'::float8 AS float, '-Infinity'::float4 AS real, 0.1::float8 AS tenth, 'NaN'::numeric AS none, 1e-30::numeric AS tiny,
  '4713-01-01 BC'::date AS early, 'infinity'::timestamptz AS never, '2024-02-29 12:00:00.123456+02'::timestamptz AS at,
  '-1 year 2 mons -3 days 04:05:06.7'::interval AS span, '{{1,NULL},{3,4}}'::int[] AS square, '[2:3]={a,"b,c"}'::text[] AS shifted,
  'empty'::int4range AS nothing, B'10110'::bit varying AS bits, ''::bytea AS zero, '::1/64'::inet AS net, '(1,2),(3,4)'::box AS box,
  'a & !b'::tsquery AS query, '16/B374D848'::pg_lsn AS lsn, 'shop.item'::regclass AS class, '12.34'::money AS money, 'x'::"char" AS letter,
  ARRAY['happy']::shop.mood[] AS moods, '{"a": [1, 2.50, null]}'::json AS json, E'\x01\x7f'::text AS control;
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert');
CREATE EVENT TRIGGER sleeping ON sql_drop EXECUTE PROCEDURE shop.watch();
ALTER EVENT TRIGGER sleeping DISABLE;
SELECT lo_from_bytea(4712, '');
ALTER LARGE OBJECT 4712 OWNER TO reader;
ALTER FUNCTION shop.compare(int, int) OWNER TO reader;
ALTER DOMAIN shop.email OWNER TO reader;
GRANT USAGE ON TYPE shop.mood TO reader;
GRANT USAGE ON LANGUAGE plpgsql TO reader;
GRANT USAGE ON FOREIGN DATA WRAPPER nothing TO reader;
GRANT USAGE ON FOREIGN SERVER far TO reader WITH GRANT OPTION;
GRANT USAGE, SELECT ON SEQUENCE shop.numbers TO reader;
GRANT INSERT, REFERENCES, TRIGGER ON shop.guarded TO PUBLIC;
REVOKE USAGE ON TYPE shop.span FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE reader REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO reader;
COMMENT ON TYPE shop.pair IS 'a; type';
COMMENT ON COLUMN shop.pair.a IS 'of a type';
COMMENT ON DOMAIN shop.email IS 'a domain';
COMMENT ON CONSTRAINT email_check ON DOMAIN shop.email IS 'of a domain';
COMMENT ON CONSTRAINT item_price_check ON shop.item IS 'a constraint';
COMMENT ON INDEX shop.item_gin IS 'an index';
COMMENT ON TRIGGER touch ON shop.item IS 'a trigger';
COMMENT ON POLICY own ON shop.item IS 'a policy';
COMMENT ON RULE quiet ON shop.cheap IS 'a rule';
COMMENT ON SEQUENCE shop.numbers IS 'a sequence';
COMMENT ON VIEW shop.cheap IS 'a view';
COMMENT ON COLUMN shop.cheap.name IS 'of a view';
COMMENT ON MATERIALIZED VIEW shop.counts IS 'a materialized view';
COMMENT ON AGGREGATE shop.sum_of (int) IS 'an aggregate';
COMMENT ON OPERATOR shop.### (int, int) IS 'an operator';
COMMENT ON OPERATOR CLASS shop.backwards USING btree IS 'a class';
COMMENT ON OPERATOR FAMILY shop.orders USING btree IS 'a family';
COMMENT ON CAST (shop.pair AS text) IS 'a cast';
COMMENT ON COLLATION shop.german IS 'a collation';
COMMENT ON CONVERSION shop.latin IS 'a conversion';
COMMENT ON TEXT SEARCH CONFIGURATION shop.words IS 'a configuration';
COMMENT ON TEXT SEARCH DICTIONARY shop.plain IS 'a dictionary';
COMMENT ON TEXT SEARCH PARSER shop.parser IS 'a parser';
COMMENT ON TEXT SEARCH TEMPLATE shop.simple IS 'a template';
COMMENT ON EVENT TRIGGER watching IS 'an event trigger';
COMMENT ON FOREIGN DATA WRAPPER nothing IS 'a wrapper';
COMMENT ON SERVER far IS 'a server';
COMMENT ON FOREIGN TABLE shop.distant IS 'a foreign table';
COMMENT ON PUBLICATION all_items IS 'a publication';
COMMENT ON SUBSCRIPTION far_items IS 'a subscription';
COMMENT ON STATISTICS shop.item_stats IS 'statistics';
COMMENT ON ACCESS METHOD tree IS 'a method';
COMMENT ON TRANSFORM FOR int LANGUAGE sql IS 'a transform';
COMMENT ON EXTENSION hstore IS 'mine';`,
  },
  {
    from: 11,
    sql: `
CREATE TABLE shop.hashed (n int PRIMARY KEY) PARTITION BY HASH (n);
CREATE TABLE shop.hashed_0 PARTITION OF shop.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.hashed_1 PARTITION OF shop.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shop.hashed SELECT generate_series(1, 9);
ALTER INDEX shop.item_partial ALTER COLUMN 1 SET STATISTICS 100;`,
  },
  {
    from: 12,
    sql: `
CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE shop.piled (n int) USING pile;
CREATE STATISTICS shop.common (mcv) ON n, t FROM shop.tuned;`,
  },
  {
    from: 13,
    sql: `ALTER STATISTICS shop.common SET STATISTICS 50;`,
  },
  {
    from: 14,
    sql: `
CREATE TYPE shop.gaps AS RANGE (subtype = int, MULTIRANGE_TYPE_NAME = shop.many_gaps);
CREATE TABLE shop.holes (gaps shop.many_gaps);
INSERT INTO shop.holes VALUES ('{[1,2),[5,9)}');
CREATE FUNCTION shop.item_of(n int) RETURNS text LANGUAGE sql RETURN (SELECT name FROM shop.item WHERE id = n);`,
  },
  {
    from: 15,
    sql: `
CREATE VIEW shop.invoked WITH (security_invoker) AS SELECT count(*) FROM shop.nulls;
CREATE UNLOGGED SEQUENCE shop.fleeting;
CREATE TABLE shop.partly (a int, b int, FOREIGN KEY (a) REFERENCES shop.item ON DELETE SET NULL (a));`,
  },
  {
    from: 16,
    sql: `CREATE TABLE shop.stored (t text STORAGE EXTERNAL);`,
  },
  {
    from: 17,
    sql: `CREATE TABLE shop.identified (n int GENERATED BY DEFAULT AS IDENTITY, m int) PARTITION BY RANGE (m);`,
  },
  {
    from: 18,
    sql: `
ALTER TABLE shop.partly ADD CONSTRAINT there NOT NULL b NOT VALID;
COMMENT ON CONSTRAINT there ON shop.partly IS 'not null';`,
  },
]
