// race PATH WHO: for each line `KIND ROUND` of stdin, tries to get an allocation that another process wants, too, and prints
// `won` or the code of the error. For `release` it releases what it won.
import { createInterface } from 'node:readline'
import { Registry, write } from '@howdah/registry'

const [path, who] = process.argv.slice(2)
const registry = new Registry({ path, durable: false })
const tries = {
  name: (round) => registry.register(`name-${round}`),
  scope: (round) => registry.register(`${who}-${round}`, { allow: [write(`/race/${round}`)] }),
  segment: (round) => registry.register(`${who}-${round}`, { segmentId: Number(round) }),
}
let won = null
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [kind, round] = line.split(' ')
  try {
    if (kind === 'release') {
      await won?.release()
      won = null
      console.log('released')
    } else {
      won = await tries[kind](round)
      console.log('won')
    }
  } catch (error) {
    console.log(error.code)
  }
}
