import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Project } from './project.ts'

const hasFull = existsSync('/dev/full')

test.runIf(hasFull).each([
  ['a result', '"$@" >/dev/full', ['status'], 1, /^howdah: cannot write the result: ENOSPC.*\n$/],
  ['help', '"$@" >/dev/full', ['--help'], 1, /^howdah: cannot write the result: ENOSPC.*\n$/],
  ['a complaint', '"$@" 2>/dev/full', ['nonsense'], 2, /^$/],
  ['a failure', '"$@" 2>/dev/full', ['url'], 1, /^$/],
  ['anything', '"$@" >/dev/full 2>&1', ['status'], 1, /^$/],
])(
  'if %s cannot be written, one line says so at most, and the status does',
  async (_, script, args, status, said) => {
    await using project = new Project()
    const result = await project.howdah(args, { by: ['sh', '-c', script, 'sh'] })
    expect(result).toEqual({ status, stdout: '', stderr: expect.stringMatching(said) })
  },
)

test.each([
  ['a result', ['runtimes', '--json'], 141],
  ['help', ['--help'], 0],
])(
  'a reader who has gone away before %s ends the command without a word',
  async (_, args, status) => {
    await using project = new Project()
    // The command begins when the reader has closed its end of the pipe.
    const result = await project.howdah(args, {
      by: [
        'sh',
        '-c',
        'mkfifo gone; { read -r _ <gone; "$@"; echo "$?" >&2; } | { exec <&-; echo >gone; }',
        'sh',
      ],
    })
    expect(result).toEqual({ status: 0, stdout: '', stderr: `${status}\n` })
  },
)

test.each([
  ['/dev/null', {}],
  ['/nonexistent', {}],
  ['', {}],
  [undefined, {}],
  ['relative', { TMPDIR: '/nonexistent' }],
])('a home %j is no obstacle', async (HOME, others) => {
  await using project = new Project()
  const env = { HOWDAH_STATE_DIR: undefined, XDG_CACHE_HOME: undefined, HOME, ...others }
  const { status, stderr } = await project.howdah(['exec', 'true'], { env })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('a data directory that is a symbolic link is emptied, and the link stays', async () => {
  await using project = new Project()
  mkdirSync(project.file('real'))
  symlinkSync('real', project.file('link'))
  const howdah = async (...args: string[]) => (await project.howdah(['-D', 'link', ...args])).status
  expect(await howdah('exec', 'true')).toBe(0)
  expect(await howdah('destroy')).toBe(0)
  expect(readdirSync(project.file('real'))).toEqual([])
  expect(lstatSync(project.file('link')).isSymbolicLink()).toBe(true)
  expect(await howdah('exec', 'true')).toBe(0)
  expect(await howdah('destroy')).toBe(0)
})

test('a deleted current directory is no obstacle to commands that are given full paths', async () => {
  await using project = new Project()
  const howdah = async (...args: string[]) => {
    mkdirSync(project.file('gone'))
    const by = ['sh', '-c', 'rmdir "$PWD" && exec "$0" "$@"']
    const cwd = project.file('gone')
    const { status, stdout, stderr } = await project.howdah(args, { by, cwd })
    return status === 0 ? { status, stdout: stdout.trim() } : { status, stderr }
  }
  const { dataDir } = project
  expect(await howdah('-D', dataDir, 'start')).toEqual({ status: 0, stdout: '' })
  expect(await howdah('-D', dataDir, 'exec', 'echo', 'run')).toEqual({ status: 0, stdout: 'run' })
  const script = project.file('script.sql')
  writeFileSync(script, 'SELECT 42 AS answer')
  const answer = { status: 0, stdout: expect.stringContaining('42') }
  expect(await howdah('-D', dataDir, 'shell', '-f', script)).toEqual(answer)
  for (const args of [['clone', '--to', project.file('clone')], ['stop']])
    expect(await howdah('-D', dataDir, ...args)).toMatchObject({ status: 0 })
  const locked = { status: 0, stdout: 'locked' }
  expect(await howdah('lock', project.file('lock'), '--', 'echo', 'locked')).toEqual(locked)
  // These take a directory from which to look for a cluster.
  for (const args of [['status'], ['-D', 'data', 'start']]) {
    const why = 'howdah: the current directory was deleted; change to another one\n'
    expect(await howdah(...args)).toEqual({ status: 1, stderr: why })
  }
})
