// hold-lock BASE SEGMENT: locks a segment, says so, and holds it until it is killed or stdin ends.
import { Store } from '@howdah/store'

const [base, segment] = process.argv.slice(2)
const locked = await (await new Store(base).segment(Number(segment))).lock()
console.log('held')
process.stdin.resume().once('end', () => locked.release())
