import { describe, expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

describe.skipIf(whyNoMac !== null)('on a double of a Mac howdah doctor', () => {
  test('ends busy backends of a killed server', async () => {
    const result = await onMac(`
      howdah start --quiet
      ${leaveBusyBackend}
      howdah doctor --fix | sed -n '/^processes of killed servers/,$ s/^ *mended.*/mended/p'
      kill -0 $backend 2>/dev/null || echo ended
    `)
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/ended\n$/) })
  })

  test('leaves a server alone after its directory was moved', async () => {
    const result = await onMac(`
      howdah start --quiet
      server=$(server)
      mv .howdah moved
      howdah doctor --fix >/dev/null || true
      kill -0 $server && echo lives
      howdah stop --quiet -D moved/data
    `)
    expect(result).toMatchObject({ status: 0, stdout: 'lives\n' })
  })

  test('says that it cannot tell where servers work if neither the kernel nor ps tells', async () => {
    const result = await onMac(`
      howdah start --quiet
      deny_kernel; deny_ps
      howdah doctor || echo doctor: $?
      allow_kernel; allow_ps
      howdah stop --quiet
    `)
    expect(result.stdout).toMatch(/does not tell in which directories servers work/)
  })

  test('counts the segments of shared memory, of which there are few', async () => {
    const result = await onMac(`
      howdah start --quiet
      howdah doctor || true
      echo 1 >/.linux/mac/segments
      howdah doctor || echo doctor: $?
      howdah stop --quiet
    `)
    expect(result.stdout.match(/all 1 segments of shared memory are in use/g)).toHaveLength(1)
    expect(result.stdout).toMatch(/ipcrm -m ID\n[^]*doctor: 1\n$/)
  })

  test('warns of what iCloud syncs and Time Machine copies', async () => {
    const result = await onMac(`
      app="Library/Mobile Documents/com~apple~CloudDocs/app"
      mkdir -p "$app"; cd "$app"
      howdah exec --quiet -- true
      howdah doctor --here || true; echo synced seen
      cd; mkdir app; cd app
      howdah exec --quiet -- true
      howdah doctor --here || true; echo no backups seen
      echo Disk >/.linux/mac/backed-up
      howdah doctor --here || true; echo a notice seen
      tmutil addexclusion /Users/me/app/.howdah/data
      howdah doctor --here || true; echo excluded seen
    `)
    const [synced = '', none = '', notice = '', excluded = ''] = result.stdout.split(
      /(?<=^(?:synced|no backups|a notice) seen\n)/m,
    )
    expect(synced).toMatch(/lies in \/Users\/me\/Library\/Mobile Documents\/, which is synced/)
    expect(none).not.toMatch(/Time Machine/)
    expect(notice).toMatch(/Time Machine[^]*tmutil addexclusion '\/Users\/me\/app\/.howdah\/data'/)
    expect(excluded).not.toMatch(/Time Machine/)
  })
})

/** Kills the server while `$backend` is busy. */
const leaveBusyBackend = String.raw`
  howdah shell --quiet -c 'select sum(i) from generate_series(1, 1000000000::bigint) as i' >/dev/null 2>&1 &
  backend=
  while [ -z "$backend" ]; do
    backend=$(/bin/ps -A -o pid= -o command= | sed -n 's/^\([0-9]*\) postgres: .* SELECT$/\1/p')
  done
  kill -9 $(server); ended $(server)
  # What waits for its answer uses the cluster.
  kill -9 $!; ended $!
`
