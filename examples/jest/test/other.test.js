const notes = require('../src/notes')

afterAll(notes.close)

test('each file has a database of its own', async () => {
  expect(await notes.add('buy hay')).toBe(1)
  expect(await notes.add('brush the elephant')).toBe(2)
})
