import { describe, expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

const patience = { timeout: 300_000 }

describe.skipIf(whyNoMac !== null)(
  'what is run on Macs to gather evidence passes on the double',
  () => {
    test.each(['smoke.sh', 'sandboxed.sh'])(
      '%s, and leaves nothing behind',
      patience,
      async (script) => {
        const result = await onMac(`
      running() { /bin/ps -A -o comm= | grep -E 'node|postgres|sleep' || true; }
      "$CHECKOUT/scripts/macs/${script}" /usr/local/bin/howdah
      for look in $(seq 100); do [ -n "$(running)" ] || break; sleep 0.1; done
      running
      ipcs -m | grep ^m || true
      find "$TMPDIR" -mindepth 1 ! -path '*/howdah-clusters-501'
    `)
        expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n== done\n$/) })
      },
    )
  },
)
