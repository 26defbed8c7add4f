// alone LOCKER PATH: how often a second this locker of Deno's takes and gives back a free lock.
import { lockers } from './deno-lockers.mjs'
import { Turns } from './turns.mjs'

const [name, path] = process.argv.slice(2)
const turns = new Turns(async () => (await lockers[name](path))())
console.log('ready')
await turns.begin()
for (let round = 0; round < 200; round++) await turns.take()
console.log(turns.rate)
process.exit()
