import { invalid } from '../errors.ts'

// Of the lists that are tried first, those of twelve characters and more.
const common = new Set(
  (
    'password1234 password12345 password123456 passwordpassword password123! 123456789012 ' +
    '1234567890123 1234567890123456 qwertyuiop12 qwertyuiop123 qwertyuiop[] qwerty123456 ' +
    'qwertyqwerty 1q2w3e4r5t6y 1qaz2wsx3edc administrator administrator1 adminadmin12 ' +
    'letmeinletmein iloveyou1234 welcome12345 welcome123456 changeme1234 changemechangeme ' +
    'abcdefghijkl abcdefghijklm abc123abc123 123qweasdzxc zaq12wsxcde3 trustno1trustno1 ' +
    'sunshine1234 football1234 monkey123456 dragon123456 correcthorsebatterystaple'
  ).split(' ')
)

/** Refuses a password that is tried first: a common one, the user's name, one character or one row of the keyboard. */
export function assertGoodPassword(name: string, password: string): void {
  const plain = password.toLowerCase().replace(/\s/g, '')
  const own = name.toLowerCase().replace(/\s/g, '')
  const rest = own.length >= 4 ? plain.replaceAll(own, '') : plain
  const reason = common.has(plain)
    ? 'is one of the most common passwords; choose another'
    : plain === own || rest.length < 4
      ? "is the user's name; choose another"
      : new Set(plain).size < 4
        ? 'repeats a few characters; choose another'
        : undefined
  if (reason !== undefined) throw invalid('/body/password', reason)
}
