// big-states BASE WAY: lists a store that holds more than this process has memory, keeping the entries or not.
import { Store } from '@howdah/store'

const [base, way] = process.argv.slice(2)
const kept = []
let count = 0
for await (const { error, state } of new Store(base).all()) {
  if (error) throw error
  count += state.text.length > 0 ? 1 : 0
  if (way === 'keep') kept.push(state)
}
console.log(count)
