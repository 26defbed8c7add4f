// blocked PATH: blocks in flock(2) itself until it has the lock. Prints the instant, in ns by the clock that all processes share.
import { openSync } from 'node:fs'
import fsExt from 'fs-ext'
import { instant } from './lockers.mjs'

const fd = openSync(process.argv[2], 'a')
console.log('ready')
fsExt.flockSync(fd, 'ex')
console.log(instant())
process.exit()
