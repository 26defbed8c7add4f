import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { start } from './project.ts'

const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))

/** Runs a script in which $bad is a word in Latin-1, $good the one that Node makes of it, and HOWDAH the command. */
async function run(path: string, script: string) {
  const words = `bad=$(printf 'caf\\351'); good=$(printf 'caf\\357\\277\\275'); ${script}`
  const text = words.replaceAll('HOWDAH', `"${process.execPath}" "${bin}"`)
  return await start(path, [], { by: ['sh', '-c', text, 'sh'] }).result
}

test.concurrent.each([
  'HOWDAH lock "$bad"',
  'HOWDAH lock "$bad" -- true',
  'HOWDAH lock ok -- rm "$bad"',
  'HOWDAH lease --in "$bad" name -- true',
  'HOWDAH status -D "$bad"',
  'HOWDAH -D "$bad" exec true',
  'HOWDAH exec -- rm "$bad"',
  'HOWDAH shell -f "$bad"',
  'HOWDAH backup --into "$bad"',
  'HOWDAH restore --from "$bad" --to x',
  'HOWDAH restore --from x --to "$bad"',
  'HOWDAH clone --to "$bad"',
  'HOWDAH verify "$bad"',
  'HOWDAH replica ls "$bad"',
  'HOWDAH replica restore x --to "$bad"',
  'PGDATA="$bad" HOWDAH status',
  'mkdir "$bad" && cd "$bad" && HOWDAH lock data -- true',
  'mkdir "$bad" "$good" && cd "$bad" && HOWDAH lock data -- true',
])('what is not valid UTF-8 is refused and touches nothing: %s', async (script) => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('caf\u{fffd}'), 'another file')
  if (script.includes('mkdir')) await run(directory.path, 'rm "$good"')
  const { status, stdout, stderr } = await run(directory.path, script)
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^howdah: .*"[^"]*caf\u{fffd}",? is not valid UTF-8.*; rename it/u)
  expect(readdirSync(directory.path).filter((name) => !name.startsWith('caf'))).toEqual([])
})

const words = linuxOnly('/proc/self/cmdline, which tells which bytes were written')

test('a U+FFFD that the user wrote is a letter like any other', words, async () => {
  using directory = temporaryDirectory()
  mkdirSync(directory.file('in \u{fffd}'))
  const { status } = await run(directory.path, 'cd in*; HOWDAH lock "$good" -- true')
  expect(status).toBe(0)
  expect(existsSync(directory.file('in \u{fffd}', 'caf\u{fffd}'))).toBe(true)
})
