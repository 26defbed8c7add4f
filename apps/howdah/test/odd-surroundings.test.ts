import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
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
  'where %s cannot be written, one line says so at most, and the status does',
  async (_, script, args, status, said) => {
    await using project = new Project()
    const result = await project.howdah(args, { by: ['sh', '-c', script, 'sh'] })
    expect(result).toEqual({ status, stdout: '', stderr: expect.stringMatching(said) })
  },
)

test.each([
  ['a result', ['runtimes', '--json'], 141],
  ['help', ['--help'], 141],
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
