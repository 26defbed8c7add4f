// replace PATH TIMES: removes a lock file and makes it anew while holding it, as schemes do that tidy up on release.
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { acquire } from '@howdah/lock'

const [path, times] = process.argv.slice(2)
for (let done = 0; done < Number(times); done++) {
  const lock = await acquire(path)
  unlinkSync(path)
  closeSync(openSync(path, 'a'))
  lock.release()
}
