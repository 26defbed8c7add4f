import { describe, expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

describe.skipIf(whyNoMac !== null)('on a double of a Mac', () => {
  test('a cluster is made, shared, listed, stopped and destroyed', async () => {
    const result = await onMac(`
      must 0 howdah exec --quiet -- sh -c 'echo in; must() { :; }; howdah status; howdah exec -- echo joined; howdah stop --timeout 1 || echo stop: $?; howdah destroy --timeout 1 || echo destroy: $?'
      echo left; must 0 howdah ls
      must 0 howdah start --quiet
      must 0 howdah stop --quiet
      must 0 howdah destroy --quiet
      must 0 howdah exec --quiet --temporary -- echo temporary
      ls -A .howdah /var/folders/zz/*/T
    `)
    expect(result).toMatchObject({ status: 0 })
    expect(result.stdout).toMatch(/^users +pid \d+ \(.*exec --quiet/m)
    expect(result.stdout).toMatch(/^joined\nstop: 75\ndestroy: 75\nleft\n/m)
    expect(result.stdout).toMatch(/^\/Users\/me\/.howdah\/data +\d+ +stopped$/m)
    expect(result.stderr).toMatch(/cannot destroy .* it is in use by pid \d+ /)
    expect(result.stderr).not.toMatch(/^\s+at /m)
  })

  test('the short way to the socket of a long path lies where nothing is cleared away', async () => {
    const result = await onMac(`
      long=$(printf 'd%.0s' $(seq 120))
      howdah exec --quiet -D $long -- sh -c 'echo $PGHOST; readlink $PGHOST'
      howdah shell --quiet -D $long -c 'select 42' | grep -c 42
    `)
    expect(result).toMatchObject({ status: 0, stderr: '' })
    expect(result.stdout).toMatch(
      /^\/Users\/me\/\.local\/state\/howdah\/sockets\/[0-9a-f]{16}\n\/Users\/me\/d{120}\n1\n$/,
    )
  })

  test('a backup is made and restored', async () => {
    const result = await onMac(`
      howdah shell --quiet -c 'create table kept as select 42 as answer'
      must 0 howdah backup --quiet --into backups
      must 0 howdah destroy --quiet
      must 0 howdah restore --quiet --from backups --to restored
      howdah shell --quiet -D restored -c 'select answer from kept'
    `)
    expect(result.stderr).not.toMatch(/^\s+at /m)
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/\b42\b/) })
  })

  test('a killed user leaves no server, a killed server or watchdog leaves no trouble', async () => {
    const result = await onMac(`
      howdah exec --quiet -- sh -c 'server=$(head -1 .howdah/data/postmaster.pid); echo $server >pid; kill -9 $PPID; sleep 100' || echo killed: $?
      ended $(cat pid)
      howdah exec --quiet -- sh -c 'kill -9 $(head -1 .howdah/data/postmaster.pid)' || echo exec: $?
      howdah exec --quiet -- sh -c '
        kill -9 $(/bin/ps -A -o pid= -o command= | sed -n "s/^\\([0-9]*\\) .*node-watchdog.*/\\1/p")
        howdah exec --quiet -- echo together'
      must 0 howdah ls
    `)
    expect(result).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/killed: 137\ntogether\n.* stopped\n/),
    })
  })
})

test.skipIf(whyNoMac !== null)(
  'the watchdog sleeps on a double of a Mac until there is something to do',
  async () => {
    const result = await onMac(`
    howdah exec --quiet -- sh -c '
      watchdog=$(/bin/ps -A -o pid= -o command= | sed -n "s/^\\([0-9]*\\) .*node-watchdog.*/\\1/p")
      count() { cat /.linux/proc/$watchdog/task/*/status | awk "/^voluntary/ { sum += \\$2 } END { print sum }"; }
      last=; while [ "$(count)" != "$last" ]; do last=$(count); sleep 0.6; done
      sleep 3; echo woken $(($(count) - last))'
    howdah ls
  `)
    expect(result).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^woken [0-2]\n.* stopped\n$/),
    })
  },
)

test.skipIf(whyNoMac !== null)(
  'the segment of a killed server is found and removed on a double of a Mac',
  async () => {
    const result = await onMac(`
    howdah start --quiet
    server=$(server)
    kill -9 $server; ended $server
    while /bin/ps -A -o pid= -o command= | grep -q '^[0-9]* postgres: '; do sleep 0.05; done
    ipcs -m | grep -c ^m
    howdah doctor --fix --here || echo doctor: $?
    ipcs -m | grep -c ^m || true
  `)
    expect(result.stdout).toMatch(/^1\n[^]*\n0\n$/)
  },
)

test.skipIf(whyNoMac !== null)(
  'a busy backend that outlives its killed server is ended on a double of a Mac',
  async () => {
    const result = await onMac(`
    howdah start --quiet
    howdah shell --quiet -c 'select sum(i) from generate_series(1, 1000000000::bigint) as i' >/dev/null 2>&1 &
    backend=
    while [ -z "$backend" ]; do
      backend=$(/bin/ps -A -o pid= -o command= | sed -n 's/^\\([0-9]*\\) postgres: .* SELECT$/\\1/p')
    done
    kill -9 $(server); ended $(server)
    kill -0 $backend && echo busy
    howdah exec --quiet -- echo in
    kill -0 $backend 2>/dev/null || echo gone
  `)
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/^busy\nin\ngone\n$/) })
  },
)

describe.skipIf(whyNoMac !== null)('what a Mac does not tell is never taken for "no"', () => {
  test('nothing is started, stopped or removed while nobody tells which processes live', async () => {
    const result = await onMac(`
      howdah start --quiet
      server=$(server)
      deny_kernel; deny_ps
      for command in status stop destroy 'destroy --force' start 'exec -- true'; do
        howdah $command || echo "$command: $?"
      done
      [ "$(server)" = $server ] && kill -0 $server && echo lives
      /bin/sh -c 'ls /.linux/proc/[0-9]*/exe -l' | grep -c ' /.*/bin/postgres' >count || true
      allow_ps
      howdah status | head -1
      allow_kernel
      howdah stop --quiet
      howdah ls
    `)
    const refused = [
      'status: 1',
      'stop: 1',
      'destroy: 1',
      'destroy --force: 1',
      'start: 1',
      'exec -- true: 125',
    ]
    expect(result.stdout.split('\n').slice(0, 7)).toEqual([...refused, 'lives'])
    expect(result.stdout).toMatch(/^state +running$/m)
    expect(result.stdout).toMatch(/ stopped$/m)
    expect(result.stderr).toMatch(/neither the kernel nor \/bin\/ps tells/)
    expect(result).toMatchObject({ status: 0 })
  })

  test('the server is known by what ps prints if our addon may not look, and the other way round', async () => {
    const result = await onMac(`
      howdah exec --quiet -- sh -c '
        touch /.linux/mac/no-proc-info; howdah exec -- echo by ps; rm /.linux/mac/no-proc-info
        chmod a-x /.linux/mac/ps; howdah exec -- echo by the addon'
      howdah ls
    `)
    expect(result).toMatchObject({ status: 0 })
    expect(result.stdout).toMatch(/^by ps\nby the addon\n.* stopped$/m)
  })
})

describe.skipIf(whyNoMac !== null)('a Mac stays the same machine', () => {
  test('after an update of the system and after a reboot', async () => {
    const result = await onMac(`
      howdah start --quiet
      update_system
      howdah ls | sed s/^/updated:/
      reboot
      howdah ls | sed s/^/rebooted:/
      howdah exec --quiet -- howdah status | sed -n 's/^users */users:/p'
    `)
    expect(result).toMatchObject({ status: 0, stderr: '' })
    expect(result.stdout).toMatch(
      /^updated:\S+ +\d+ +running .*\nrebooted:\S+ +\d+ +stopped\nusers:pid \d+/,
    )
  })

  test('and finds what was kept while it was called by the build of its kernel', async () => {
    const result = await onMac(`
      howdah exec --quiet -- true
      cd .local/state/howdah
      mv * "$(/usr/sbin/sysctl -n kern.uuid)"
      howdah ls
      ls
    `)
    expect(result.stdout).toMatch(/^\S+ +\d+ +stopped\n7C90[\w-]+\n$/)
    expect(result).toMatchObject({ status: 0, stderr: '' })
  })
})

describe.skipIf(whyNoMac !== null)('on a double of a Mac, which spawns and syncs slowly,', () => {
  test('a cluster that runs is joined with no sync and no program but the own command', async () => {
    const result = await onMac(`
      howdah exec --quiet -- true
      howdah start --quiet
      : >/.linux/mac/calls
      howdah exec --quiet -- true
      sort /.linux/mac/calls | uniq -c
    `)
    expect(result.stdout.trim()).toBe('1 spawn true')
  })

  test('a stopped one is started with a handful of them', async () => {
    const result = await onMac(`
      howdah exec --quiet -- true
      : >/.linux/mac/calls
      howdah exec --quiet -- true
      sort /.linux/mac/calls | uniq -c
    `)
    const calls = result.stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
    const count = (kind: string) =>
      calls.filter(([, name]) => name === kind).reduce((sum, [times]) => sum + Number(times), 0)
    expect(count('sync')).toBeLessThanOrEqual(5)
    expect(count('spawn')).toBeLessThanOrEqual(6)
  })
})
