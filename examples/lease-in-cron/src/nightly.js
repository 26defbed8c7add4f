// The nightly reports. A line of the crontab starts this on each machine, and one of them sends the reports:
//
//   0 3 * * * SHARE=/mnt/share node src/nightly.js
import { appendFile, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createFileLeaser, runWithLease } from '@howdah/lease'

const {
  SHARE = '.',
  MACHINE = hostname(),
  TTL = '30000',
  SKEW = '5000',
  PAUSE = '100',
} = process.env
const log = join(SHARE, `reports-${new Date().toISOString().slice(0, 10)}.txt`)
const leaser = createFileLeaser({
  dir: SHARE,
  path: 'nightly.json',
  owner: MACHINE,
  ttl: Number(TTL),
  clockSkew: Number(SKEW),
})

try {
  await runWithLease(leaser, sendReports, { timeout: 0 })
} catch (error) {
  if (error.code === 'ERR_LEASE_TIMEOUT') console.log(`${error.cause.owner} is at it`)
  else if (error.code === 'ERR_LEASE_LOST') console.log('lost the lease; another machine goes on')
  else throw error
}

async function sendReports(signal, held) {
  const sent = await readFile(log, 'utf8').catch(() => '')
  for (const customer of ['ann', 'bob', 'cem']) {
    if (sent.includes(`${customer} `)) continue
    await setTimeout(Number(PAUSE))
    // After a pause of any length, this throws if another machine may be at it.
    held.check()
    await appendFile(log, `${customer} by ${MACHINE}, generation ${held.generation}\n`)
    console.log(`sent to ${customer}`)
  }
}
