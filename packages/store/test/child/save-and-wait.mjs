// save-and-wait BASE SEGMENT TIMES: saves entries, prints their ids, and runs until stdin ends.
import { Store } from '@howdah/store'

const [base, segment, times] = process.argv.slice(2)
const opened = await new Store(base, { durable: false }).segment(Number(segment))
for (let n = 0; n < Number(times); n++) console.log((await opened.save({ n })).name)
process.stdin.resume()
