// storm BASE LOG SEGMENTS: saves, lists and destroys entries, and discards segments, until it is told to stop, and then lives on until stdin ends.
//
// It prints a line when it has saved its first entry. It writes what it does into the log: "+" after it has saved an entry,
// "-" before it destroys one.
import { openSync, writeSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { seededRandom } from '@howdah/fixtures'
import { Store } from '@howdah/store'

const [base, log, segments] = process.argv.slice(2)
const store = new Store(base, { durable: false })
const fd = openSync(log, 'a')
const note = (sign, entry) => writeSync(fd, `${sign} ${entry.segment} ${entry.name}\n`)
// Each child has a seed of its own: the number of its log.
const random = seededRandom(23 + Number(/\d+$/.exec(log)?.[0]))
const dice = (sides) => random.below(sides)
const order = { stop: false }
let begun = false
process.stdin.once('data', () => {
  order.stop = true
})

const mine = []
while (!order.stop) {
  // Without this pause stdin is never read, because uncontended steps never leave the microtask queue.
  await breathe()
  const identity = dice(Number(segments))
  const segment = await store.segment(identity)
  const action = dice(10)
  if (!begun || action < 5) {
    const entry = await segment.save({ text: 'x'.repeat(dice(3000)) }, { kind: dice(256) })
    note('+', entry)
    if (!begun) console.log('begun')
    begun = true
    mine.push(entry)
  } else if (action < 8 && mine.length > 0) {
    const [entry] = mine.splice(dice(mine.length), 1)
    note('-', entry)
    if (!(await entry.destroy())) throw new Error(`${entry.name} was gone`)
  } else if (action < 9) {
    await segment.transaction(async (locked) => {
      for (const entry of await locked.entries()) {
        if (entry.error) throw entry.error
        await entry.load().catch((error) => {
          if (error.code !== 'ERR_STORE_ENTRY_GONE') throw error
        })
      }
    })
  } else if (dice(2) === 0) {
    for await (const { error } of segment.all()) if (error) throw error
  } else await store.discard(identity)
}
console.log(`stopped ${mine.length}`)
process.stdin.resume()
