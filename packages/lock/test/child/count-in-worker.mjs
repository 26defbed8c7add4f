// count-in-worker LOCK COUNTER TIMES THREADS: the increments of count.mjs, in threads of one process.
import { Worker } from 'node:worker_threads'

const [path, counter, times, threads] = process.argv.slice(2)
const script = new URL('count.mjs', import.meta.url)
const argv = [path, counter, times, 'fair']
for (let thread = 0; thread < Number(threads); thread++) {
  new Worker(script, { argv }).on('error', (error) => {
    throw error
  })
}
