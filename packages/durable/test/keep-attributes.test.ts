import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, fstatSync, openSync, statSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { keepAttributes, keepExtendedAttributes } from '../src/index.ts'

const python = (...words: string[]) =>
  execFileSync('python3', ['-c', ...words], { encoding: 'utf8' })
const get = 'import os,sys; print(os.getxattr(sys.argv[1], "user.colour").decode())'

/** Why extended attributes cannot be tried here; empty if they can. */
function lacking(): string {
  if (process.platform !== 'linux')
    return 'needs Linux, whose cp copies from one open file to another'
  using place = temporaryDirectory()
  writeFileSync(place.file('file'), '')
  const set = 'import os,sys; os.setxattr(sys.argv[1], "user.colour", b"blue")'
  if (spawnSync('python3', ['-c', set, place.file('file')]).status !== 0)
    return 'needs python3 and a file system with extended attributes'
  return spawnSync('cp', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU')
    ? ''
    : 'needs GNU cp'
}

const reason = lacking()

it.skipIf(reason !== '')(
  `extended attributes are copied ${reason && `(skipped: ${reason})`}`,
  async () => {
    using place = temporaryDirectory()
    writeFileSync(place.file('old'), '')
    writeFileSync(place.file('new'), 'content')
    python('import os,sys; os.setxattr(sys.argv[1], "user.colour", b"blue")', place.file('old'))
    const [old, fd] = [openSync(place.file('old'), 'r'), openSync(place.file('new'), 'r+')]
    try {
      await keepExtendedAttributes(fd, old)
    } finally {
      closeSync(fd)
      closeSync(old)
    }
    expect(python(get, place.file('new'))).toBe('blue\n')
    expect(statSync(place.file('new')).size).toBe(7)
  },
)

it.skipIf(process.geteuid?.() !== 0)(
  'if the owner cannot be kept, nobody gains access (skipped as an ordinary user)',
  () => {
    using place = temporaryDirectory({ mode: 0o777 })
    const user = 4_321
    const cases = [
      // The mode and group before, and the mode after a user who is only in group 4321 has replaced the file.
      [0o4755, 4_321, 0o755],
      [0o660, 4_321, 0o660],
      [0o660, 9_999, 0o600],
      [0o664, 9_999, 0o644],
      [0o2775, 9_999, 0o755],
    ] as const
    for (const [mode, gid, expected] of cases) {
      const file = place.file(`file-${mode}-${gid}`)
      writeFileSync(file, '')
      const fd = openSync(file, 'r+')
      try {
        const old = Object.assign(fstatSync(fd), { mode: 0o100_000 | mode, uid: 1_234, gid })
        process.setegid?.(user)
        process.seteuid?.(user)
        const mine = openSync(`${file}-mine`, 'wx')
        try {
          keepAttributes(mine, old)
        } finally {
          closeSync(mine)
        }
      } finally {
        process.seteuid?.(0)
        process.setegid?.(0)
        closeSync(fd)
      }
      expect((statSync(`${file}-mine`).mode & 0o7777).toString(8)).toBe(expected.toString(8))
    }
  },
)
