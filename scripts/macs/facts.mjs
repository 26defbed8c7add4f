// Compares what a Mac says of itself with `facts.json`: with what our code, and the double of a Mac in its tests, take for granted.
// Prints a line for each fact, and ends with status 1 if one of them is another. `process.execPath` and the built packages are used.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const prebuilt = join(here, '../../packages/lock/prebuilt')
const addon = createRequire(import.meta.url)(
  join(prebuilt, `${process.platform}-${process.arch}.node`),
)
const known = JSON.parse(readFileSync(join(here, 'facts.json'), 'utf8'))

const noPid = 99_998
const keywords = ['pid=', 'stat=', 'uid=', 'ppid=', 'lstart=', 'command=']
const inUtc = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
const run = (program, ...args) => spawnSync(program, args, { encoding: 'utf8', env: inUtc })
const print = (program, ...args) => run(program, ...args).stdout?.trim() ?? 'it cannot be run'
const ps = (pid, words = keywords) =>
  run('/bin/ps', '-p', String(pid), ...words.flatMap((word) => ['-o', word]))
const yes = (is) => (is ? 'yes' : 'no')
const onPath = (name) =>
  yes(
    (process.env.PATH ?? '').split(':').some((place) => {
      try {
        accessSync(join(place, name), constants.X_OK)
        return true
      } catch {
        return false
      }
    }),
  )
const platformId = () =>
  /"IOPlatformUUID" = "([^"]+)"/.exec(
    print('/usr/sbin/ioreg', '-rd1', '-c', 'IOPlatformExpertDevice'),
  )?.[1]

const self = addon.seeProcess(process.pid)
const first = addon.seeProcess(1)
const place = statSync('.', { bigint: true })

const probes = {
  node: () => `${process.version.split('.')[0]} ${process.platform} ${process.arch}`,
  'a directory /proc': () => yes(existsSync('/proc')),
  'flock on PATH': () => onPath('flock'),
  'getent on PATH': () => onPath('getent'),
  'setpriv on PATH': () => onPath('setpriv'),
  '/var': () => readlinkSync('/var'),
  '/tmp': () => readlinkSync('/tmp'),
  '/etc': () => readlinkSync('/etc'),
  TMPDIR: () => process.env.TMPDIR,
  'ps of this process': () => ps(process.pid).stdout,
  'ps of nobody': () => {
    const { status, stdout, stderr } = ps(noPid)
    return `status ${status}, stdout ${JSON.stringify(stdout)}, stderr ${JSON.stringify(stderr)}`
  },
  'ps takes a header to the end of its argument': () =>
    yes(
      ps(process.pid, ['stat=,lstart=']).stdout.trim().split('\n').at(-1).split(' ').length === 1,
    ),
  'sysctl kern.bootsessionuuid': () => print('/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid'),
  'sysctl kern.uuid': () => print('/usr/sbin/sysctl', '-n', 'kern.uuid'),
  "ioreg's IOPlatformUUID": platformId,
  "the addon's machine is ioreg's": () => yes(addon.hostId() === platformId()),
  "the addon's boot is sysctl's": () =>
    yes(addon.bootId() === print('/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid')),
  "the addon's start of this process is ps's": () => {
    const printed = Date.parse(`${ps(process.pid, ['lstart=']).stdout.trim()} UTC`) / 1000
    return yes(Math.floor(Number(self.started)) === printed)
  },
  "the addon's working directory of this process is stat's": () =>
    yes(self.directory === `${place.dev}:${place.ino}`),
  "the addon's program of this process": () => self.program,
  "the addon's command of this process": () => self.command,
  "the addon's process 1": () =>
    typeof first === 'object' && Number(first.started) > 0 ? `started, uid ${first.uid}` : first,
  "the addon's nobody": () => addon.seeProcess(noPid),
  'the addon lists this process': () => yes(addon.processIds().includes(process.pid)),
  ipcs: () =>
    print('/usr/bin/ipcs', '-m', '-o', '-p')
      .split('\n')
      .find((line) => line.startsWith('T ')),
}

let wrong = 0
for (const [fact, expected] of Object.entries(known)) {
  let found
  try {
    found = String(probes[fact]())
  } catch (error) {
    found = `it cannot be told: ${error.message}`
  }
  const holds = new RegExp(expected).test(found)
  if (!holds) wrong++
  console.log(
    `${holds ? 'holds' : 'WRONG'}  ${fact}: ${found.trim()}${holds ? '' : ` (not ${expected})`}`,
  )
}
console.log(`${wrong} of ${Object.keys(known).length} facts are others than was taken for granted`)
process.exitCode = wrong === 0 ? 0 : 1
