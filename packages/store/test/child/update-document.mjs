// update-document PATH: counts in a document until it is killed; says each number after it was published.
import { LockedDocument } from '@howdah/store'

const document = new LockedDocument(process.argv[2], {
  empty: () => ({ n: 0, filling: '' }),
  durable: false,
})
for (;;) {
  const n = await document.update((value) => {
    value.filling = 'x'.repeat((value.n * 37) % 20_000)
    return ++value.n
  })
  console.log(n)
}
