// Connects, announces itself, and holds on until all are connected; then says so and waits to be told to go.
import { Client } from 'pg'

const [all, stay] = process.argv.slice(2)
const client = new Client(process.env.DATABASE_URL)
await client.connect()
await client.query("SET application_name = 'barrier'")
const { rows: started } = await client.query('SELECT pg_postmaster_start_time()::text AS at')
for (;;) {
  const { rows } = await client.query(
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'barrier'",
  )
  if (Number(rows[0].count) >= Number(all)) break
  await new Promise((done) => setTimeout(done, 250))
}
process.stdout.write(`together on ${started[0].at}\n`)
if (stay === 'stay') setInterval(() => undefined, 1000)
else {
  // The others are to see us, too.
  process.stdin.resume().on('end', () => void client.end())
}
