import { describe, expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

describe.skipIf(whyNoMac !== null)('on a double of a Mac', () => {
  test('root has servers run as postgres, or as nobody, who is -2 for spawn and 4294967294 for chown', async () => {
    const result = await onMac(
      `
      cd /var/tmp; mkdir app; cd app
      howdah exec --quiet -- sh -c '/bin/ps -o uid= -p $(head -1 .howdah/data/postmaster.pid)'
      node --input-type=module -e "
        const { Cluster } = await import('$CHECKOUT/packages/cluster/dist/index.js')
        const cluster = new Cluster('/var/tmp/app/other', { runAs: 'nobody' })
        const session = await cluster.run()
        console.log((await import('node:fs')).statSync(cluster.dataDir).uid)
        await session.leave()"
    `,
      { asRoot: true },
    )
    expect(result.stderr).not.toMatch(/out of range|ERR_/)
    expect(result).toMatchObject({ status: 0, stdout: '216\n4294967294\n' })
  })

  test('users are found in the directory service, by an alias too', async () => {
    const result = await onMac(
      `
      node --input-type=module -e "
        const { chooseServerUser } = await import('$CHECKOUT/packages/data-directory/dist/index.js')
        for (const name of ['postgres', 'nobody', '501', 'nobody-at-all'])
          console.log(await chooseServerUser('/var/tmp/none', name).then(({ name, uid, gid }) => [name, uid, gid].join(), ({ code }) => code))"
    `,
      { asRoot: true },
    )
    expect(result.stdout).toBe(
      '_postgres,216,216\nnobody,4294967294,4294967294\nme,501,20\nERR_CLUSTER_SERVER_USER\n',
    )
  })

  test('what a server calls written is brought out of the drive’s own memory, unless the cluster says otherwise', async () => {
    const result = await onMac(`
      calls() { grep -c fsync_writethrough /.linux/mac/calls || true; }
      howdah exec --quiet -- true; calls
      howdah exec --quiet --set wal_sync_method=open_datasync -- true; calls
      echo "wal_sync_method = 'fdatasync'" >>.howdah/data/postgresql.conf
      howdah exec --quiet -- true; calls
      howdah shell --quiet -c 'show wal_sync_method'
    `)
    expect(result.stdout).toMatch(/^1\n1\n1\n[^]*fdatasync/)
    expect(result).toMatchObject({ status: 0, stderr: '' })
  })

  test('a PostgreSQL for another processor is said to be one', async () => {
    const result = await onMac(`
      mkdir -p intel/bin
      printf '\\317\\372\\355\\376 and so on' >intel/bin/postgres
      chmod 755 intel/bin/postgres
      node --input-type=module -e "
        const { Runtime } = await import('$CHECKOUT/packages/runtime/dist/index.js')
        await Runtime.at('$PWD/intel/bin').catch(({ problem, message }) => console.log(problem, message))"
    `)
    expect(result).toMatchObject({ status: 0, stderr: '' })
    expect(result.stdout).toMatch(
      /^wrong-platform .*\/Users\/me\/intel\/bin\/postgres was built for another processor; .*--install-rosetta/,
    )
  })
})
