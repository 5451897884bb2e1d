/** How elements of one PostgreSQL type are written: the type's object id, and the bytes of an element. */
interface Codec<T> {
  readonly oid: number
  size(value: T): number
  write(into: Buffer, at: number, value: T): void
}
const headerBytes = 20

/** Array parameters in PostgreSQL's binary form: as text they would be quoted, unquoted and checked byte by byte. */
const binaryArray =
  <T>(codec: Codec<T>) =>
  (values: readonly (T | null)[]): Buffer => {
    const sizes = values.map(value => (value === null ? 0 : codec.size(value)))
    const bytes = sizes.reduce((sum, size) => sum + size + 4, headerBytes)
    const into = Buffer.allocUnsafe(bytes)
    into.writeInt32BE(1, 0)
    into.writeInt32BE(values.includes(null) ? 1 : 0, 4)
    into.writeInt32BE(codec.oid, 8)
    into.writeInt32BE(values.length, 12)
    into.writeInt32BE(1, 16)
    let at = headerBytes
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as T | null
      const size = sizes[index] ?? 0
      into.writeInt32BE(value === null ? -1 : size, at)
      if (value !== null) codec.write(into, at + 4, value)
      at += 4 + size
    }
    return into
  }

export const booleans = binaryArray<boolean>({
  oid: 16,
  size: () => 1,
  write: (into, at, value) => into.writeUInt8(value ? 1 : 0, at)
})
export const bodies = binaryArray<Uint8Array>({
  oid: 17,
  size: value => value.length,
  write: (into, at, value) => into.set(value, at)
})
export const integers = binaryArray<number>({
  oid: 23,
  size: () => 4,
  write: (into, at, value) => into.writeInt32BE(value, at)
})
export const texts = binaryArray<string>({
  oid: 25,
  size: value => Buffer.byteLength(value),
  write: (into, at, value) => into.write(value, at)
})
export const doubles = binaryArray<number>({
  oid: 701,
  size: () => 8,
  write: (into, at, value) => into.writeDoubleBE(value, at)
})
/** UUIDs as their 16 bytes, a character each. */
export const uuids = binaryArray<string>({
  oid: 2950,
  size: () => 16,
  write: (into, at, value) => into.write(value, at, 'latin1')
})
/** Whole numbers up to 2^53. */
export const wholes = binaryArray<number>({
  oid: 20,
  size: () => 8,
  write(into, at, value) {
    into.writeInt32BE(Math.floor(value / 4_294_967_296), at)
    into.writeUInt32BE(value % 4_294_967_296, at + 4)
  }
})
