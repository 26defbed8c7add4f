import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import {
  Container,
  isOpenToOthers,
  systemCalls,
  temporaryDirectory,
  underSeccomp,
  type ContainerUser,
} from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { postgresForContainers } from './postgres-for-containers.ts'

const denied = whyNot()
if (denied !== null) console.log(`no tests in containers: ${denied}`)
/** As an ordinary user, only one user can be mapped into a container. */
const isRoot = process.geteuid?.() === 0
const users: ContainerUser[] = isRoot ? ['root', 'app'] : []
// A user without a passwd entry makes a cluster only with nss_wrapper. HOME is / there, and may not be written.
if (isRoot && Container.hasNssWrapper()) users.push('nameless')
else
  console.log(
    'no life in a container without a name: there is no nss_wrapper (Debian: libnss-wrapper)',
  )
if (!isRoot) console.log('no life in containers: only root may run several users in them')

describe
  .skipIf(denied !== null)
  .concurrent('in a container with nothing but Node, BusyBox and PostgreSQL', () => {
    test.each(users)(
      'the usual life passes as %s',
      async (user) => {
        using volume = temporaryDirectory({ prefix: 'howdah-container-' })
        chmodSync(volume.path, 0o777)
        const postgres = await postgresForContainers()
        const result = await Container.run(life, { volume: volume.path, user, postgres })
        expect(result.stderr).not.toMatch(/^\s+at /m)
        expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n +3 *\n/) })
        expect(result.stdout).toContain('processes left: 0\n')
      },
      300_000,
    )

    test.runIf(isRoot)(
      'a user without a name, and without nss_wrapper, is told why there is no cluster, and the cure works',
      async () => {
        using volume = temporaryDirectory({ prefix: 'howdah-container-' })
        chmodSync(volume.path, 0o777)
        const postgres = await postgresForContainers()
        const options = { volume: volume.path, postgres, nssWrapper: false }
        const refused = await Container.run('howdah start', { ...options, user: 'nameless' })
        expect(refused).toMatchObject({
          status: 1,
          stderr: expect.stringMatching(
            /has none for uid 12345; install nss_wrapper .*>>\/etc\/passwd/,
          ),
        })
        expect(refused.stderr).not.toMatch(/^\s+at /m)
        // As in the message, by root; then as that user, which the cluster was made for.
        const cure = /echo '[^']*' >>\/etc\/passwd/.exec(refused.stderr)?.[0]
        const made = await Container.run(
          `${cure}; howdah -D data --run-as howdah -c 'create table t (i int)'`,
          options,
        )
        expect(made).toMatchObject({ status: 0 })
        // Root works for that user, too, also below directories that are closed to it.
        const closed = `
          mkdir -m 700 closed; mkdir closed/data; chown 12345:0 closed/data
          howdah -D closed/data start 2>&1 | grep -c 'has none for uid 12345'
          ${cure}; howdah -D closed/data -c 'select 40 + 2'
        `
        expect(await Container.run(closed, options)).toMatchObject({
          status: 0,
          stdout: expect.stringMatching(/^1\n[^]*42/),
        })
        const used = await Container.run(`howdah -D data -c 'table t'; howdah -D data status`, {
          ...options,
          user: 'nameless',
        })
        expect(used).toMatchObject({ status: 0, stdout: expect.stringContaining('stopped') })
      },
      300_000,
    )

    test.runIf(isRoot).each(Object.entries(laws))(
      'as root, %s',
      async (_, { script, says }) => {
        using volume = temporaryDirectory({ prefix: 'howdah-container-' })
        chmodSync(volume.path, 0o777)
        const options = { volume: volume.path, postgres: await postgresForContainers() }
        const result = await Container.run(script, options)
        expect(result).toMatchObject({ status: 0, stdout: says })
      },
      300_000,
    )

    test.runIf(isRoot)(
      'a server whose container was killed is followed by one with the same pids',
      async () => {
        using volume = temporaryDirectory({ prefix: 'howdah-container-' })
        chmodSync(volume.path, 0o777)
        const options = { volume: volume.path, postgres: await postgresForContainers() }
        expect(await Container.run('howdah -D data exec -- true', options)).toMatchObject({
          status: 0,
        })
        for (let restart = 0; restart < 3; restart++) {
          const container = new Container(
            'howdah -D data exec -- sh -c "echo in; sleep 60"',
            options,
          )
          await new Promise((done) => container.process.stdout.once('data', done))
          await container.kill()
          const between = await Container.run(`howdah -D data -c 'select 41'`, options)
          expect(between).toMatchObject({ status: 0 })
        }
        const after = await Container.run(`howdah -D data -c 'select 42'`, options)
        expect(after).toMatchObject({ status: 0, stdout: expect.stringContaining('42') })
      },
      300_000,
    )
  })

describe.skipIf(denied !== null)('the filter of system calls that containers have', () => {
  // A call with these arguments does nothing, but it fails for another reason than EPERM if it is let through.
  const harmless = Object.entries({
    add_key: [0, 0, 0, 0, 0],
    bpf: [-1, 0, 0],
    clone3: [0, 0],
    io_uring_setup: [0, 0],
    kcmp: [0, 0, -1, 0, 0],
    keyctl: [-1],
    open_by_handle_at: [-1, 0, 0],
    open_tree: [-1, 0, -1],
    perf_event_open: [0, 0, 0, 0, 0],
    process_vm_readv: [0, 0, 0, 0, 0, -1],
    ptrace: [-1, 0, 0, 0],
    quotactl_fd: [-1, 0, 0, 0],
    setns: [-1, 0],
    unshare: [0],
    userfaultfd: [-1],
  })
  const [eperm, enosys] = [1, 38]

  test.runIf(isRoot).each(harmless)('denies %s(2), which the kernel would take', (name, args) => {
    const answers = { without: call([], name, args), within: call(underSeccomp([]), name, args) }
    expect(answers).toEqual({
      without: expect.not.toBeOneOf([eperm, enosys]),
      within: name === 'clone3' ? enosys : eperm,
    })
  })

  test('denies new namespaces, and processes without randomness in their addresses', () => {
    const tries = (...command: string[]) =>
      [[], underSeccomp([])].map((filter) => {
        try {
          const [program, ...args] = ['setpriv', '--no-new-privs', ...filter, ...command]
          execFileSync(program ?? '', args, { stdio: 'ignore' })
          return 'works'
        } catch {
          return 'fails'
        }
      })
    expect(tries('unshare', '--user', 'true')).toEqual(['works', 'fails'])
    expect(tries('setarch', '--addr-no-randomize', 'true')).toEqual(['works', 'fails'])
    expect(tries('setarch', '--uname-2.6', 'true')).toEqual(['works', 'works'])
  })

  test('is set in a container', async () => {
    using volume = temporaryDirectory({ prefix: 'howdah-container-' })
    const options = { volume: volume.path, postgres: await postgresForContainers() }
    const script = 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status'
    expect(await Container.run(script, options)).toMatchObject({
      status: 0,
      stdout: 'NoNewPrivs:\t1\nSeccomp:\t2\n',
    })
  })

  /** The number of the error of a system call, or 0. */
  function call(filter: readonly string[], name: string, args: readonly number[]): number {
    const perl =
      'my ($call, @args) = map { $_ + 0 } @ARGV; print(syscall($call, @args) < 0 ? $! + 0 : 0)'
    const words = [String(systemCalls?.[name]), ...args.map(String)]
    const command = ['--no-new-privs', ...filter, 'perl', '-e', perl, '--']
    return Number(execFileSync('setpriv', [...command, ...words], { encoding: 'utf8' }))
  }
})

/** Create, exec, share, stop, kill, restart, backup, restore, temporary: in one container, whatever it has for a user. */
const life = `
set -e
howdah start
howdah status
howdah -c 'create table t (i int)'
howdah -c 'insert into t values (1)'
howdah exec -d app -- sh -c 'test -n "$DATABASE_URL"'
howdah exec -- sh -c 'until [ -e joined ]; do sleep 0.1; done' &
howdah exec -- sh -c 'howdah -c "insert into t values (2)"; touch joined'
wait
howdah stop
howdah exec -- sh -c 'kill -KILL $(head -n 1 .howdah/data/postmaster.pid); until howdah -c "insert into t values (3)"; do sleep 0.1; done'
howdah backup --into backups
howdah destroy
howdah restore --from backups --to restored
howdah -D restored -c 'select count(*) from t'
howdah -D restored destroy
howdah exec --temporary -- sh -c 'howdah databases >/dev/null'
sleep 1
echo processes left: $(ps -o comm | grep -c postgres)
`

/** If root may not look into the processes of others, because it lacks SYS_PTRACE. */
const laws: Record<string, { script: string; says: string }> = {
  'a pid file that names the live server of another cluster is not believed': {
    script: `
      howdah -D a start; howdah -D b -c 'select 1' >/dev/null
      cp a/postmaster.pid b/
      howdah -D b status | grep state
      howdah -D b stop
      howdah -D b -c 'select 1' >/dev/null && echo works
      howdah -D a status | grep state
      howdah -D a stop
    `,
    says: 'state           stopped\nworks\nstate           running\n',
  },
  'a server that was started is found, and stopped': {
    script: `howdah start; howdah status | grep state; howdah stop; howdah status | grep state`,
    says: 'state           running\nstate           stopped\n',
  },
  'a server whose directory is removed while it is used ends with its last user': {
    script: `
      howdah exec -- rm -rf .howdah
      until ! ps -o comm | grep -q postgres; do sleep 0.1; done
      echo gone
    `,
    says: 'gone\n',
  },
  'a server whose PG_VERSION is removed ends, with its last user at the latest': {
    script: `
      howdah exec -- rm .howdah/data/PG_VERSION
      until ! ps -o comm | grep -q postgres; do sleep 0.1; done
      echo gone
    `,
    says: 'gone\n',
  },
}

function whyNot(): string | null {
  if (!isOpenToOthers(import.meta.url)) return 'this checkout is closed to other users'
  return Container.whyNot()
}
