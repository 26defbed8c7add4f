import PgBoss from 'pg-boss'

/** A queue of welcome mails. */
export async function openMail(connectionString, deliver) {
  const boss = new PgBoss({ connectionString, supervise: false, schedule: false })
  boss.on('error', console.error)
  await boss.start()
  await boss.createQueue('welcome')
  return {
    welcome: async (name) => await boss.send('welcome', { name }, { retryLimit: 2 }),
    /** Delivers what is queued, and what will be. */
    work: async () => {
      const often = { pollingIntervalSeconds: 0.5 }
      await boss.work('welcome', often, async ([job]) => await deliver(job.data.name))
    },
    close: async () => await boss.stop({ graceful: true, wait: true }),
  }
}
