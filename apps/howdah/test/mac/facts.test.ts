import { expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

test.skipIf(whyNoMac !== null)(
  'the double of a Mac is what Macs are held against, fact by fact',
  async () => {
    const result = await onMac('node "$CHECKOUT/scripts/macs/facts.mjs"')
    expect(result.stdout.split('\n').filter((line) => line.startsWith('WRONG'))).toEqual([])
    expect(result).toMatchObject({ status: 0, stderr: '' })
    expect(result.stdout.match(/^holds /gm)?.length).toBeGreaterThan(20)
  },
)
