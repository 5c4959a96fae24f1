/**
 * The languages of the built-in pages.
 *
 * @module
 */

/** As in `Accept-Language` and `<html lang>` (BCP 47). */
export const languages = ['en', 'de'] as const

/** A language of the built-in pages. */
export type Language = (typeof languages)[number]

/** Reads the preferred languages of a request (RFC 9110 section 12.5.4): a request of Express, or a context of Koa. */
export interface AcceptsLanguages {
  acceptsLanguages(offered: string[]): string | false
}

/** Chooses the language of the pages that a request is answered with. */
export type LanguageOf = (request: AcceptsLanguages) => Language

/** `offered`: the first one is for requests that accept none of them. */
export function createLanguageChoice(offered: () => readonly Language[]): LanguageOf {
  return function languageOf(request) {
    const list = offered()
    const accepted = request.acceptsLanguages([...list])
    return list.find((language) => language === accepted) ?? list[0]!
  }
}

/** All of them, English first. */
export const anyLanguage: LanguageOf = createLanguageChoice(() => languages)
