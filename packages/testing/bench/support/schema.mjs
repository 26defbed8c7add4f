/** Thirty tables with keys, indexes and a few rows, as an application of some size has. */
export const schema = Array.from({ length: 30 }, (_, n) => {
  const parent = n === 0 ? '' : `, parent int REFERENCES t${n - 1}`
  return `CREATE TABLE t${n} (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now()${parent});
    CREATE INDEX ON t${n} (name);
    INSERT INTO t${n} (name) SELECT 'row ' || i FROM generate_series(1, 5) AS i;`
}).join('\n')
