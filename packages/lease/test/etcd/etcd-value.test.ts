import { expect, test } from 'vitest'
import { decodeValue, encodeValue } from '../../src/etcd/etcd-value.ts'

const value = { owner: 'me', nonce: 'x', released: false }
const decode = (text: string) => decodeValue(Buffer.from(text))
const text = (change: object) => JSON.stringify({ ...value, ...change })

test('a value is read as it was written', () => {
  for (const generation of [0n, 7n, 2n ** 63n]) {
    const released = { ...value, released: true, generation }
    expect(decodeValue(encodeValue(released))).toEqual(released)
  }
  expect(decodeValue(encodeValue(value))).toEqual(value)
  expect(encodeValue(value).toString()).toBe(text({}))
})

test.each<[string, string, string | RegExp]>([
  ['nothing', '', 'it is empty'],
  ['no JSON', '{', /JSON/],
  ['null', 'null', 'it is not a JSON object'],
  ['a number', '7', 'it is not a JSON object'],
  ['a text', '"x"', 'it is not a JSON object'],
  ['no owner', text({ owner: undefined }), 'it lacks an owner'],
  ['an owner that is a number', text({ owner: 7 }), 'it lacks an owner'],
  ['no nonce', text({ nonce: undefined }), 'it lacks an owner, a nonce'],
  ['no word about its release', text({ released: undefined }), 'or whether it was released'],
  ['a word about its release that is none', text({ released: 'no' }), 'whether it was released'],
  [
    'a generation that is a number',
    text({ generation: 7 }),
    'its generation is not a whole number',
  ],
  ['a generation in words', text({ generation: 'x' }), 'its generation is not a whole number'],
  ['a generation before words', text({ generation: '7x' }), 'its generation is not a whole number'],
  ['a generation after words', text({ generation: 'x7' }), 'its generation is not a whole number'],
  ['a negative generation', text({ generation: '-7' }), 'its generation is not a whole number'],
])('a value of %s is refused', (_, content, message) => {
  expect(() => decode(content)).toThrow(message)
})

test('a value that is no UTF-8 is refused', () => {
  expect(() => decodeValue(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/utf-8/)
})
