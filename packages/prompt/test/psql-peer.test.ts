import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Cluster, type Session } from '@howdah/cluster'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Printed, shellOn } from './shell-host.ts'

/** The words of psql differ a little between versions. */
const peer = findPsql()

const home = temporaryDirectory()
const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
let session: Session

beforeAll(async () => {
  session = await cluster.run({ database: 'app' })
  const client = await session.connect()
  await client.query(`
    CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL, "born in" int DEFAULT 1970 CHECK ("born in" > 1000));
    CREATE INDEX ON person (name);
    CREATE TABLE pet (id bigint GENERATED ALWAYS AS IDENTITY, owner int REFERENCES person, name text DEFAULT 'x''y');
    CREATE VIEW people AS SELECT name FROM person;
    CREATE TABLE "Odd's ""name""" (a int);
    CREATE SEQUENCE counter;
    CREATE SCHEMA other;
    CREATE TABLE other.person (x int);
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
    CREATE ROLE reader;
    INSERT INTO person VALUES (1, 'Hannibal', 1920), (2, E'two\\nlines', NULL), (3, '象', 3000)`)
  await client.end()
})

afterAll(async () => {
  await session.leave({ force: true })
  home[Symbol.dispose]()
})

/** What is given to both. */
interface Given {
  readonly args?: readonly string[]
  readonly input?: string
  readonly files?: Readonly<Record<string, string>>
}

let number = 0

/** Gives both the same, each in a directory of its own, and the files that they have written. */
async function both({ args = [], input = '', files = {} }: Given) {
  const [ours, theirs] = ['ours', 'theirs'].map((name) => {
    const directory = home.file(`${(number += 1)}-${name}`)
    mkdirSync(directory)
    for (const [file, content] of Object.entries(files))
      writeFileSync(`${directory}/${file}`, content)
    return directory
  }) as [string, string]
  const written = (directory: string) => {
    try {
      return readFileSync(`${directory}/out`, 'utf8')
    } catch {
      return null
    }
  }
  const expected = await psql(theirs, args, input)
  const printed = await shellOn(session, ours, { args }, input)
  return {
    ours: { ...printed, written: written(ours) },
    theirs: { ...expected, written: written(theirs) },
  }
}

async function psql(cwd: string, args: readonly string[], input: string): Promise<Printed> {
  const child = spawn('psql', ['-X', '-v', 'ON_ERROR_STOP=1', ...args], {
    cwd,
    env: { ...session.commandEnv(), LC_ALL: 'C.UTF-8' },
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ])
  // Our messages do not begin with the name of a program that is not there.
  return { status, stdout, stderr: stderr.replaceAll(/^psql:(?: error: )?/gm, '') }
}

function findPsql(): boolean {
  try {
    const version = execFileSync('psql', ['--version'], { encoding: 'utf8' })
    return Number(/(\d+)/.exec(version)?.[1]) === 15
  } catch {
    return false
  }
}

/** Lists have other titles since psql 18, from which ours are. */
function of18({ stdout, stderr, ...others }: Printed): Printed {
  return {
    ...others,
    stdout: stdout.replaceAll(/^ *List of (?:indexes|relations|sequences|tables|views)$/gm, 'List'),
    stderr: stderr.replaceAll(/any (?:relation|tables) named/g, 'any named'),
  }
}

const sql = (input: string): Given => ({ input })

describe.runIf(peer)('the same as psql, byte for byte (on machines with psql 15)', () => {
  test.each<[string, Given]>([
    ['a table', sql('SELECT * FROM person ORDER BY 1;')],
    ['several results of one line', sql('SELECT 1; SELECT 2 AS b, NULL AS c; SELECT;')],
    ['no rows', sql('SELECT * FROM person WHERE false;\n\\x\nSELECT * FROM person WHERE false;')],
    [
      'control characters and tabs',
      sql(String.raw`SELECT E'a\tb\rc\x1b[2J' AS x, E'e\u0301' AS y, 'z';`),
    ],
    ['names of several lines', sql('SELECT 1 AS "a\nbb", E\'c\\nd\' AS e, 3 AS f;\n\\x\n\\g')],
    [
      'tags',
      sql(
        'CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1), (2) RETURNING n; INSERT INTO t VALUES (3);\nUPDATE t SET n = 1; DELETE FROM t; CREATE TEMP TABLE u AS SELECT 1; BEGIN; COMMIT; SELECT 1 INTO TEMP v;',
      ),
    ],
    ['the last query without a semicolon', sql('SELECT 1')],
    ['an empty query', sql(';;  ; -- nothing\n/* none; */')],
    ['comments', sql('-- a\nSELECT 1 -- b;\n/* c; /* d */ */ + 2;')],
    [
      'dollar quotes over lines',
      sql("DO $$\nBEGIN\n RAISE NOTICE 'a;';\nEND\n$$;\nSELECT $a$ $$ ; $b$ $a$;"),
    ],
    [
      'parentheses and function bodies',
      sql(
        'CREATE FUNCTION pg_temp.f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;\nSELECT (1\n);',
      ),
    ],
    ['a semicolon that ends nothing', sql(String.raw`SELECT 1\; SELECT 2;`)],
    ['an error, with its place', sql('SELECT 1;\n\nSELECT nam\nFROM person;\nSELECT 2;')],
    [
      'an error far to the right',
      sql(`SELECT ${'1 + '.repeat(30)}nam + ${'2 + '.repeat(30)}3 FROM person;`),
    ],
    ['an error at the left of a long line', sql(`SELECT nam, ${'2 + '.repeat(40)}3 FROM person;`)],
    ['an error behind wide characters', sql("SELECT '象象', nam FROM person;")],
    ['an error of a function, with its context', sql('DO $$ BEGIN PERFORM 1/0; END $$;')],
    [
      'an error with detail and hint',
      sql("DO $$ BEGIN RAISE 'a' USING detail = 'b', hint = 'c'; END $$;"),
    ],
    ['an error within a query of the server', sql("DO $$ BEGIN EXECUTE 'SELECT nam'; END $$;")],
    ['a notice', sql("DO $$ BEGIN RAISE NOTICE 'a' USING detail = 'b', hint = 'c'; END $$;")],
    [
      'what follows an error',
      {
        args: ['-v', 'ON_ERROR_STOP=0'],
        input: 'SELECT 1/0;\nSELECT 2;\nBEGIN; SELECT x; SELECT 1; ROLLBACK;',
      },
    ],
    ['an open quote at the end', sql("SELECT 'a")],
  ])('queries: %s', async (_, given) => {
    const { ours, theirs } = await both(given)
    expect(ours).toEqual(theirs)
  })

  test.each<[string, Given]>([
    ...['0', '1', '2'].flatMap((border): [string, Given][] => [
      [`border ${border}`, sql(`\\pset border ${border}\nSELECT * FROM person ORDER BY 1;`)],
      [
        `border ${border}, expanded`,
        sql(`\\pset border ${border}\n\\x\nSELECT * FROM person ORDER BY 1;`),
      ],
      [
        `border ${border}, rows only`,
        sql(`\\pset border ${border}\n\\t\nSELECT * FROM person ORDER BY 1;\n\\x\n\\g`),
      ],
      [
        `border ${border}, unicode, a title`,
        sql(
          `\\pset border ${border}\n\\pset linestyle unicode\n\\C 'A title'\nSELECT * FROM person ORDER BY 1;\n\\x\n\\g`,
        ),
      ],
    ]),
    ['unaligned', sql('\\a\nSELECT * FROM person;\n\\x\n\\g\n\\t\n\\g\n\\x\n\\g')],
    [
      'unaligned without rows',
      sql('\\a\nSELECT 1 WHERE false;\n\\x\n\\g\n\\t\n\\g\n\\x\n\\g\nSELECT;'),
    ],
    ['-At', { args: ['-At', '-c', 'SELECT * FROM person'] }],
    ['-A with separators', { args: ['-A', '-F', ';', '-R', '|', '-c', 'SELECT * FROM person'] }],
    ['-z0', { args: ['-Az0', '-c', 'SELECT * FROM person'] }],
    ['--csv', { args: ['--csv', '-c', `SELECT *, 'a"b,c' AS d, E'\\r', '\\.' FROM person`] }],
    ['--csv -x', { args: ['--csv', '-x', '-c', 'SELECT * FROM person'] }],
    ['--csv -t', { args: ['--csv', '-t', '-c', 'SELECT * FROM person'] }],
    ['-x', { args: ['-x', '-c', 'SELECT * FROM person'] }],
    ['-q', { args: ['-q', '-c', 'CREATE TEMP TABLE t (n int)', '-c', '\\x', '-c', 'SELECT 1'] }],
    ['-P', { args: ['-P', 'null=(none)', '-P', 'footer=off', '-c', 'SELECT NULL AS n'] }],
    [
      'words about settings',
      sql(
        '\\x\n\\x auto\n\\x off\n\\a\n\\a\n\\t\n\\t off\n\\f ;\n\\f\n\\C x\n\\C\n\\pset null x\n\\pset footer\n\\pset format csv\n\\pset border\n\\pset recordsep\n\\pset fieldsep_zero\n\\pset pager off\n\\pset pager always\n\\pset columns 3\n\\pset linestyle unicode\n\\pset csv_fieldsep ;\n\\pset tuples_only\n\\pset pager_min_lines 1\n\\timing\n\\timing off\n',
      ),
    ],
    ['a setting that there is not', sql('\\pset nonsense 1')],
    ['a switch with another word', sql('\\x nonsense')],
    ['many rows', sql("SELECT n, repeat('x', n % 30) FROM generate_series(1, 5000) n;")],
  ])('tables: %s', async (_, given) => {
    const { ours, theirs } = await both(given)
    expect(ours).toEqual(theirs)
  })

  test.each<[string, Given]>([
    ['-c, one after the other', { args: ['-c', 'SELECT 1', '-c', "SELECT 'a;'; SELECT 2"] }],
    [
      '-c, which is one transaction',
      { args: ['-c', 'CREATE TABLE gone (n int); SELECT 1/0', '-c', 'SELECT 1'] },
    ],
    ['-c, and no variables in it', { args: ['-v', 'a=1', '-c', 'SELECT :a'] }],
    ['-c with a command', { args: ['-c', '\\echo a b', '-c', '\\set a 1', '-c', '\\echo :a'] }],
    ['-c with a command that fails', { args: ['-c', '\\nonsense', '-c', 'SELECT 1'] }],
    [
      '-f',
      {
        args: ['-f', 'a.sql', '-f', 'b.sql'],
        files: { 'a.sql': 'SELECT 1;\n\\q\nSELECT 2;', 'b.sql': 'SELECT 3\n' },
      },
    ],
    [
      '-f that fails',
      {
        args: ['-f', 'a.sql', '-c', 'SELECT 9'],
        files: { 'a.sql': 'SELECT\n1;\nSELECT\n 1/0\n;SELECT 2;' },
      },
    ],
    [
      '-f with a command that there is not',
      { args: ['-f', 'a.sql'], files: { 'a.sql': 'SELECT 1;\n\\nonsense\nSELECT 2;' } },
    ],
    ['-f of stdin', { args: ['-f', '-'], input: 'SELECT 1;\nSELECT 1/0;' }],
    ['-f that is not there', { args: ['-f', 'a.sql'] }],
    [
      '-f and -c without a stop at errors',
      {
        args: ['-v', 'ON_ERROR_STOP=0', '-f', 'a.sql', '-c', 'SELECT 1/0', '-c', 'SELECT 3'],
        files: { 'a.sql': 'SELECT 1/0; SELECT 2;' },
      },
    ],
    ['the last -c fails', { args: ['-v', 'ON_ERROR_STOP=0', '-c', 'SELECT 1/0'] }],
    [
      '-1',
      {
        args: ['-1', '-f', 'a.sql', '-c', 'SELECT count(*) FROM once'],
        files: {
          'a.sql': 'CREATE TABLE once (n int); DROP TABLE once; CREATE TEMP TABLE once (n int);',
        },
      },
    ],
    ['-a', { args: ['-a'], input: 'SELECT 1;\n-- x\n\\echo a\nSELECT 2\n' }],
    ['-e', { args: ['-e'], input: 'SELECT 1; SELECT\n2;\n' }],
    ['-b', { args: ['-b'], input: 'SELECT 1; SELECT nonsense;\n' }],
    ['-o', { args: ['-o', 'out', '-c', 'SELECT 1', '-c', '\\echo a', '-c', '\\qecho b'] }],
    [
      'a byte order mark',
      { args: ['-f', 'a.sql'], files: { 'a.sql': '\uFEFFSELECT 1;\r\nSELECT 2;\r\n' } },
    ],
  ])('scripts: %s', async (_, given) => {
    const { ours, theirs } = await both(given)
    expect(ours).toEqual(theirs)
  })

  test.each<[string, Given]>([
    [
      'variables',
      sql(
        `\\set a 1\n\\set b 'it''s' x\n\\set c "q q"\nSELECT :a, :'b', :'c' AS :"c", :{?a}, :{?z};\nSELECT '{:a}', 1::text, ':a' ;\n\\echo :a :'b' :"c" ':a' :z\n`,
      ),
    ],
    ['a variable that has queries', sql("\\set q 'SELECT 1; SELECT 2;'\n:q\n\\set r :q\n:r")],
    [
      'a variable within itself',
      sql("\\set a 'SELECT 1 AS \":a\";'\n:a\n\\set b '1 + :b'\nSELECT :b;"),
    ],
    ['a variable that is not set', sql('SELECT :nonsense;')],
    ['a name that is none', sql('\\set a-b 1')],
    ['a value that is none', sql('\\set ON_ERROR_STOP nonsense')],
    ['-v', { args: ['-v', 'a=x y', '-v', 'b='], input: "SELECT :'a', :'b';" }],
    [
      '\\gset',
      sql(
        "SELECT 1 AS a, NULL AS b, 'x' AS c \\gset p_\n\\echo :p_a :p_b :p_c\nSELECT 1 WHERE false \\gset\nSELECT 3;",
      ),
    ],
    ['\\gset of two rows', sql('SELECT generate_series(1, 2) AS a \\gset\n')],
    [
      '\\gexec',
      sql("SELECT 'SELECT ' || n, NULL, 'SELECT 9' FROM generate_series(1, 2) n \\gexec\n"),
    ],
    [
      '\\g and \\gx',
      sql(
        'SELECT 1 AS a, 2 AS b \\g\n\\gx\nSELECT 3 \\g (format=csv tuples_only)\nSELECT 4 \\g out\nSELECT 5 \\g | cat > out2\n\\! cat out2\n\\g',
      ),
    ],
    [
      '\\o',
      sql('\\o out\nSELECT 1;\n\\qecho a\n\\echo b\nCREATE TEMP TABLE t (n int);\n\\o\nSELECT 2;'),
    ],
    ['\\p and \\r', sql('SELECT 1\n\\p\n\\r\nSELECT 2;\n\\p\nSELECT\n3\n\\p\n;')],
    [
      '\\i and \\ir',
      {
        input: '\\i a.sql\nSELECT 3;',
        files: { 'a.sql': 'SELECT 1;\n\\ir b.sql\n\\echo done', 'b.sql': 'SELECT 2 AS two\n' },
      },
    ],
    [
      '\\i that fails',
      { input: '\\i a.sql\nSELECT 3;', files: { 'a.sql': 'SELECT 1;\nSELECT nonsense;' } },
    ],
    ['\\i that is not there', sql('\\i a.sql\nSELECT 3;')],
    [
      'commands on one line',
      sql('\\echo a \\echo b \\\\ SELECT 1; \\echo c\nSELECT 2 \\g \\\\ SELECT 3;\n'),
    ],
    [
      'words in quotes',
      sql(
        `\\echo 'a\\tb' "c d" 'it''s' 'x'"y"z \`echo hi; echo ho\` 'A\\x41\\101'\n\\echo -n x\n\\echo  a   b\n\\echo`,
      ),
    ],
    ['\\warn', sql('\\warn a b')],
    [
      '\\if',
      sql(
        '\\set a 1\n\\if :a\n SELECT 1;\n \\if false\n SELECT 2;\n \\else\n SELECT 3;\n \\endif\n\\elif true\n SELECT 4;\n\\else\n \\echo no\n\\endif\nSELECT \\if off \\\\ 5 \\elif yes \\\\ 6 \\else \\\\ 7 \\endif \\\\ AS n;\n\\if true x\n\\else y\n\\endif z\n',
      ),
    ],
    ['\\if that does not end', sql('\\if true\nSELECT 1;')],
    ['\\else without \\if', sql('\\else\n')],
    ['\\if with another word', sql('\\if nonsense\nSELECT 1;\n\\endif\nSELECT 2;')],
    ['\\c', sql('\\c postgres\nSELECT current_database();\n\\c - root\n')],
    ['\\conninfo', sql('\\conninfo')],
    ['\\encoding', sql('\\encoding')],
    ['\\errverbose', sql('\\errverbose')],
    [
      'VERBOSITY',
      {
        args: ['-v', 'ON_ERROR_STOP=0'],
        input:
          '\\set VERBOSITY terse\nSELECT nam FROM person;\n\\set VERBOSITY sqlstate\nSELECT nam;\n\\set VERBOSITY default\n\\set SHOW_CONTEXT never\nDO $$ BEGIN PERFORM 1/0; END $$;',
      },
    ],
    [
      'AUTOCOMMIT',
      sql(
        '\\set AUTOCOMMIT off\nCREATE TEMP TABLE t (n int);\nSELECT now() = statement_timestamp();\nROLLBACK;\nSELECT count(*) FROM t;',
      ),
    ],
    [
      'what scripts ask about errors',
      {
        args: ['-v', 'ON_ERROR_STOP=0'],
        input:
          'SELECT 1/0;\n\\echo :ERROR :SQLSTATE :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE :ROW_COUNT\nSELECT generate_series(1, 3);\n\\echo :ERROR :SQLSTATE :ROW_COUNT',
      },
    ],
    ['notifications', sql("LISTEN a;\nSELECT 'ready' \\gset\n\\o out\n")],
    ['an argument too many', sql('\\x on nonsense\nSELECT 1;')],
    [
      'a program',
      sql('\\! echo hi; exit 3\n\\getenv a PGDATABASE\n\\echo :a\n\\setenv B c\n\\! echo $B'),
    ],
    ['\\cd', sql('\\cd /\n\\! pwd\n\\cd /nonsense\n')],
    ['\\w', sql('SELECT 1\n\\w out\n;')],
  ])('commands: %s', async (_, given) => {
    const { ours, theirs } = await both(given)
    expect(ours).toEqual(theirs)
  })

  test.each<[string, Given]>([
    [
      'TO STDOUT',
      sql(
        'COPY person TO STDOUT; COPY pet TO STDOUT;\nCOPY (SELECT 1) TO STDOUT (FORMAT csv, HEADER);\n',
      ),
    ],
    [
      'TO STDOUT into files',
      sql('COPY person TO STDOUT \\g out\n\\! cat out\n\\o out\nCOPY (SELECT 7) TO STDOUT;\n'),
    ],
    [
      'FROM STDIN in a script',
      sql(
        "CREATE TEMP TABLE t (n int, s text);\nCOPY t FROM STDIN;\n1\tit's; a\n2\t\\N\n\\.\nSELECT * FROM t;",
      ),
    ],
    [
      'FROM STDIN to the end of the script',
      sql('CREATE TEMP TABLE t (n int);\nCOPY t FROM STDIN;\n1\n2'),
    ],
    [
      'FROM STDIN in a file',
      {
        args: ['-f', 'a.sql'],
        files: {
          'a.sql':
            'CREATE TEMP TABLE t (n int);\nCOPY t FROM STDIN;\n1\n2\n\\.\nSELECT sum(n) FROM t;\nSELECT 1/0;',
        },
      },
    ],
    [
      'FROM STDIN after -c',
      {
        args: [
          '-c',
          'CREATE TEMP TABLE t (n int)',
          '-c',
          'COPY t FROM STDIN',
          '-c',
          'SELECT sum(n) FROM t',
        ],
        input: '1\n2\n',
      },
    ],
    [
      'FROM STDIN that fails',
      {
        args: ['-v', 'ON_ERROR_STOP=0'],
        input:
          'CREATE TEMP TABLE t (n int);\nCOPY t FROM STDIN;\nx\n2\n\\.\nSELECT count(*) FROM t;',
      },
    ],
    [
      '\\copy to and from files',
      {
        input:
          "\\copy person to out\n\\copy (SELECT id, name FROM person WHERE name <> 'to (x') TO 'out' WITH (FORMAT csv)\nCREATE TEMP TABLE t (n int, s text);\n\\copy t from 'in.csv' csv\n\\copy t (n, s) from in.csv with (format csv);\nSELECT * FROM t;",
        files: { 'in.csv': '1,a\n2,"b\nc"\n' },
      },
    ],
    [
      '\\copy with stdin and stdout',
      sql(
        'CREATE TEMP TABLE t (n int);\n\\copy t from stdin\n1\n2\n\\.\n\\copy t to stdout\n\\copy t to pstdout\n',
      ),
    ],
    [
      '\\copy with programs',
      sql(
        "CREATE TEMP TABLE t (n int);\n\\copy t from program 'seq 1 3'\n\\copy t to program 'cat > out'\n\\copy t to program 'cat >&2; exit 3'\n",
      ),
    ],
    ['\\copy from a file that is not there', sql('\\copy person from nonsense\nSELECT 1;')],
    ['\\copy into a directory that is not there', sql('\\copy person to /nonsense/x\nSELECT 1;')],
    ['\\copy of a table that is not there', sql('\\copy nonsense to out\nSELECT 1;')],
    ['\\copy without words', sql('\\copy\n')],
    ['\\copy that is cut off', sql('\\copy person to\n')],
  ])('COPY: %s', async (_, given) => {
    const { ours, theirs } = await both(given)
    expect(ours).toEqual(theirs)
  })

  test.each([
    '\\d',
    '\\d person',
    '\\d pet',
    '\\d people',
    '\\d counter',
    '\\d person_pkey',
    '\\d other.person',
    '\\d "Odd\'s ""name"""',
    '\\d pe*',
    '\\dt',
    '\\dt pe*',
    '\\dt *.person',
    '\\di',
    '\\dv',
    '\\ds',
    '\\dn',
    '\\df',
    '\\df tw*',
    '\\dT',
    '\\d nonsense',
    '\\dt nonsense',
    '\\sf twice',
    '\\sf+ twice',
    '\\sv people',
    '\\sf nonsense',
    '\\dzz',
    '\\dp person',
    '\\z pet',
  ])('descriptions: %s', async (command) => {
    const { ours, theirs } = await both(sql(`${command}\n\\x\n${command}\n`))
    expect(of18(ours)).toEqual(of18(theirs))
  })
})
