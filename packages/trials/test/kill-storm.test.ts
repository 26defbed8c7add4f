import { expect, it } from 'vitest'
import { KillStorm, operations } from './support/kill-storm.ts'

const isLong = process.env['HOWDAH_TEST_LONG'] === '1'
const rounds = isLong ? 1000 : operations.length
const seed = Number(process.env['HOWDAH_TEST_SEED'] ?? Date.now() % 1_000_000)

it(
  'loses nothing, and goes on with the next command, whatever is killed, suspended or refused at whatever instant',
  { timeout: isLong ? 4 * 3_600_000 : 600_000 },
  async ({ annotate }) => {
    await using storm = await KillStorm.over(seed)
    // First each of them undisturbed, to learn how long it takes.
    for (const operation of operations) await storm.round(operation, null)
    const struck = Object.fromEntries(storm.victims.map((victim) => [victim, 0]))
    for (let round = 1; round <= rounds; round++) {
      const operation = operations[round % operations.length] ?? operations[0]
      const victim = storm.random.pick(storm.victims)
      try {
        if (await storm.round(operation, victim)) struck[victim] = (struck[victim] ?? 0) + 1
      } catch (cause) {
        const what = `${victim} struck in ${operation}`
        throw new Error(`round ${round}, HOWDAH_TEST_SEED=${seed}: ${what}`, { cause })
      }
    }
    await annotate(`seed ${seed}, ${rounds} rounds, struck in time: ${JSON.stringify(struck)}`)
    // Else it proves nothing.
    expect(Object.values(struck).some((times) => times > 0)).toBe(true)
    expect(await storm.end()).toEqual({ wrong: [], files: [], processes: [], memory: [] })
  },
)
