// churn PATH WHO: registers one allocation and says so, and then registers, delegates, adopts and releases others for ever.
import { setImmediate as breathe } from 'node:timers/promises'
import { Registry, write } from '@howdah/registry'

const [path, who] = process.argv.slice(2)
const registry = new Registry({ path, durable: false })
await registry.register(`kept-${who}`, { allow: [write(`/kept/${who}`)] })
console.log('registered')
for (let round = 0; ; round++) {
  const parent = await registry.register(`${who}-${round}`, {
    allow: [write(`/churn/${who}`)],
  })
  const reserved = await parent.delegate(`${who}-${round}-child`, {
    allow: [write(`/churn/${who}/child`)],
  })
  const child = await registry.adopt(reserved.name, reserved.token)
  await child.updateSegment(null)
  await parent.release()
  await child.release()
  await breathe()
}
