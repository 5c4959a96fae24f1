/**
 * Finds a password hash that stands in a text with something around it: the text itself is then nobody's password.
 *
 * @module
 */

/** What a copy, a quotation, a line break or an escape in a shell, YAML or URL leaves in a hash. */
const debris = /[\s\p{Cf}\p{Cc}"'`\u2018-\u201f\\]+/gu

/** Hashes that {@link PasswordScheme}s verify, by what no password that anybody chose has. */
const verifiable = new RegExp(
  [
    // The parameters too, because a shell takes what begins with a dollar sign out.
    String.raw`argon2(?:id|i|d)\$v=\d+\$|=\d+,t=\d+,p=\d+`,
    String.raw`scrypt\$ln=\d+|ln=\d+,r=\d+,p=\d+`,
    String.raw`\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{10}|2[abxy]\$\d\d\$[./A-Za-z0-9]{53}`,
  ].join('|'),
  'i',
)

/** Hashes that nothing here verifies. */
const foreign = new RegExp(
  [
    // crypt(3): MD5, SHA-256, SHA-512, yescrypt and their relatives.
    String.raw`\$(?:1|apr1|5|6|7|y|gy|sha1|md5)\$(?:[^$]{1,40}\$){1,2}[./A-Za-z0-9]{20}`,
    String.raw`\$[PHS]\$[./A-Za-z0-9]{31}`,
    // RFC 2307, and what directories, mail servers and Java frameworks made of it.
    String.raw`\{[\w.+-]*(?:sha|md[45]|crypt|argon|pbkdf|scram|hmac|pkcs5s2)[\w.+-]*\}[./A-Za-z0-9+=$]{13}`,
    // Passlib, Django and Werkzeug.
    String.raw`(?:^|:)(?:pbkdf2|bcrypt|argon2|scrypt|sha1|sha256|sha512|md5)[\w:-]*\$[^$]*\$[./A-Za-z0-9+=$]{16}`,
    // PostgreSQL and MySQL.
    String.raw`SCRAM-SHA-\d+\$\d+:|^md5[0-9a-f]{32}$|^\*[0-9A-F]{40}$`,
  ].join('|'),
  'i',
)

/** Begins like a hash of crypt(3), of the PHC format or of a directory. */
const start =
  /^(?:\$(?:argon2\w*|scrypt|2[a-z]?|[1567y]|gy|md5|sha1|apr1|pbkdf2[\w-]*|bcrypt[\w-]*)\$|\{(?:S?SHA\d*|S?MD5|CRYPT|BCRYPT|SCRYPT|ARGON2\w*|PBKDF2[\w-]*)\})/i

/** What kind of hash a text holds, however it is written; `undefined` for a plain password. */
export function hashInside(text: string): 'verifiable' | 'foreign' | undefined {
  // `$$` is a dollar sign in a Compose file, `%24` in a URL.
  const bare = text
    .replace(/%24/g, '$')
    .replace(debris, '')
    .replace(/\${2,}/g, '$')
  if (verifiable.test(bare)) return 'verifiable'
  return start.test(bare) || foreign.test(bare) ? 'foreign' : undefined
}
