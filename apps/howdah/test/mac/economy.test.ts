import { expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

/**
 * How often each command may sync a file and start a program on a Mac, where both are slow; by the words that follow `howdah`, and
 * with the status of its end.
 */
const ceilings: readonly [command: string, status: number, syncs: number, programs: number][] = [
  ['exec -- true', 0, 8, 14],
  ['exec -D made -- true', 0, 6, 9],
  ['start', 0, 2, 3],
  ['exec -- false', 1, 1, 2],
  ['status', 0, 0, 0],
  ['ls', 0, 0, 1],
  ['shell -c "select 1"', 0, 0, 0],
  ['stop', 0, 0, 0],
  ['backup --into backups', 0, 1_200, 8],
  ['restore --from backups --to restored', 0, 12, 7],
  ['exec --temporary -- true', 0, 8, 9],
  // It unpacks the bundled PostgreSQL, to see whether that works.
  ['doctor --here', 0, 2, 14],
  ['doctor --here', 0, 0, 12],
  ['destroy', 0, 3, 0],
]

test.skipIf(whyNoMac !== null)(
  'no command syncs or starts more than it has to on a double of a Mac',
  { timeout: 240_000 },
  async () => {
    const words = ceilings.map(([command]) => `tally howdah ${command}`)
    const result = await onMac(`
      tally() {
        : >/.linux/mac/calls
        status=0
        "$@" >/dev/null 2>&1 || status=$?
        echo $status $(grep -c '^sync' /.linux/mac/calls) $(grep -c '^spawn' /.linux/mac/calls)
      }
      ${words.join('\n')}`)
    const found = result.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
    const commands = ceilings.map(([command, status]) => [command, status])
    expect(ceilings.map(([command], index) => [command, found[index]?.[0]])).toEqual(commands)
    const beyond = ceilings.flatMap(([command, , ...most], index) => {
      const [, syncs = 0, programs = 0] = found[index] ?? []
      const isBeyond = syncs > most[0] || programs > most[1]
      return isBeyond ? [`${command}: ${syncs} syncs, ${programs} programs`] : []
    })
    expect(beyond).toEqual([])
  },
)
