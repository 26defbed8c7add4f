// hold PATH OPTIONS: holds a lock, says so, and releases it when stdin ends.
import { acquire } from '@howdah/lock'

const [path, options = '{}'] = process.argv.slice(2)
const lock = await acquire(path, { ...JSON.parse(options), onWait: () => console.log('waiting') })
console.log('held')
process.stdin.resume().once('end', () => {
  lock.release()
  console.log('released')
})
