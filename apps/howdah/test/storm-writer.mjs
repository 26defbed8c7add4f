// Inserts rows until it is told enough, and notes each one in a file once it is committed.
// Arguments: the file, a tag, how many rows.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'

const [, , file, tag, count] = process.argv
const client = new Client(process.env.DATABASE_URL)
await client.connect()
for (let row = 0; row < Number(count); row++) {
  await client.query('INSERT INTO storm VALUES ($1, $2)', [tag, row])
  appendFileSync(file, `${tag} ${row}\n`)
  await sleep(10)
}
await client.end()
