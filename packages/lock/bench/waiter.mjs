// waiter PATH: says that it is ready when it has the lock, or when it waits for it, and then stays.
import { acquire } from '@howdah/lock'

await acquire(process.argv[2], { onWait: () => setTimeout(() => console.log('ready'), 200) })
console.log('ready')
setInterval(() => {}, 60_000)
