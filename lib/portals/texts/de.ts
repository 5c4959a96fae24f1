/**
 * The texts of the built-in pages in German.
 *
 * @module
 */

import type { HttpErrorCode } from '../../core/errors.js'
import type { Texts } from './texts.js'

const tryAgainLater = 'Versuchen Sie es später noch einmal.'

const goBack = 'Gehen Sie dorthin zurück, woher Sie gekommen sind, und versuchen Sie es noch einmal.'

const signInEnded = 'Diese Anmeldung ist abgelaufen oder wurde schon abgeschlossen.'

const tellOperators = 'Wenn das nicht hilft, wenden Sie sich an die Betreiber dieser Seite.'

const noRights = 'Dieser Bereich ist für Ihr Konto nicht freigegeben.'

const overloaded = `Im Moment melden sich zu viele Personen gleichzeitig an. ${tryAgainLater}`

export const german: Texts & { readonly refusals: Readonly<Record<HttpErrorCode, string>> } = {
  help: 'Hilfe:',
  notSignedIn: 'Nicht angemeldet',
  signIn: {
    heading: 'Anmelden',
    prompt: 'Melden Sie sich an, um fortzufahren.',
    userName: 'Benutzername',
    password: 'Passwort',
    button: 'Anmelden',
    or: 'oder',
    at: (provider) => `Mit ${provider} anmelden`,
    atAsAnother: (provider) => `Mit ${provider} unter einem anderen Konto anmelden`,
  },
  signOut: {
    heading: 'Abmelden',
    question: 'Möchten Sie sich abmelden?',
    button: 'Abmelden',
  },
  secondFactor: {
    heading: 'Zweiter Faktor',
    code: {
      text: 'Geben Sie den Code Ihrer Authenticator-App oder einen Ihrer Wiederherstellungscodes ein.',
      label: 'Code',
    },
    invitation: {
      text: 'Dieses Konto benötigt einen zweiten Faktor. Geben Sie den Einrichtungscode ein, den Sie von einem Administrator erhalten haben.',
      label: 'Einrichtungscode',
    },
    setup: {
      text: 'Scannen Sie dieses Bild mit einer Authenticator-App, oder geben Sie dort den Schlüssel ein. Geben Sie danach den Code ein, den die App anzeigt.',
      label: 'Code der App',
    },
    qrCode: 'QR-Code des Schlüssels',
    key: 'Schlüssel:',
    button: 'Weiter',
    startAgain: 'Von vorn beginnen',
  },
  recoveryCodes: {
    heading: 'Bewahren Sie Ihre Wiederherstellungscodes auf',
    title: 'Wiederherstellungscodes',
    text: 'Jeder davon ersetzt die Authenticator-App ein einziges Mal, falls Sie sie verlieren. Die Codes werden nicht noch einmal angezeigt.',
    proceed: 'Weiter',
  },
  refusal: {
    headings: {
      403: 'Kein Zugriff',
      404: 'Nicht gefunden',
      405: 'Das hat nicht funktioniert',
      429: 'Zu viele Versuche',
      503: 'Im Moment nicht verfügbar',
    },
    failed: 'Das hat nicht funktioniert',
    broken: 'Etwas ist schiefgegangen',
    unknownAddress: 'unbekannt',
    address: (address) => `Ihre Adresse: ${address}`,
    reference: (reference) => `Kennung: ${reference}`,
    signInAsAnother: 'Mit einem anderen Konto anmelden',
  },
  oauth: {
    failed: 'Das hat nicht funktioniert',
    goBack,
    signInEnded: `${signInEnded} ${goBack}`,
    signedOut: 'Abgemeldet',
    signedOutOfAll: 'Sie sind von allen Portalen abgemeldet.',
    signOutQuestion: 'Abmelden?',
    signsOutOfAll: 'Sie werden damit von allen Portalen abgemeldet.',
    signOut: 'Abmelden',
    staySignedIn: 'Angemeldet bleiben',
  },
  messages: {
    signedOut: 'Sie sind abgemeldet.',
    sessionEnded: 'Ihre Sitzung ist beendet. Melden Sie sich erneut an.',
    noCookie:
      'Ihr Browser hat das Cookie dieser Seite nicht gespeichert; deshalb sind Sie nicht angemeldet. Lassen Sie Cookies für diese Seite ' +
      'zu; auf diesem Rechner öffnen Sie sie mit https.',
    wrongCode: 'Der Code ist nicht richtig. Geben Sie den aktuellen Code ein; jeder Code gilt nur einmal.',
    tookTooLong: 'Das hat zu lange gedauert oder wurde in einem anderen Fenster begonnen. Melden Sie sich erneut an.',
    noSecondFactor:
      'Dieses Konto benötigt einen zweiten Faktor, der noch nicht eingerichtet ist. Wenden Sie sich an einen Administrator.',
    notEndedOnServer:
      'Sie sind in diesem Browser abgemeldet, aber die Sitzung konnte auf dem Server nicht beendet werden. Sie endet von selbst, wenn ' +
      'sie nicht mehr benutzt wird.',
    providerUnavailable: (provider) => `${provider} ist im Moment nicht erreichbar. ${tryAgainLater}`,
    providerUntrusted: (provider) =>
      `Die Antwort von ${provider} kann nicht verwendet werden. Versuchen Sie es noch einmal. ${tellOperators}`,
    noAccess: (provider) =>
      `Sie sind bei ${provider} angemeldet, aber Ihr Konto hat hier keinen Zugriff. Bitten Sie um Zugriff, und melden Sie sich dann erneut an; oder melden Sie sich mit einem anderen Konto an.`,
    signInCancelled: (provider) =>
      `Die Anmeldung bei ${provider} wurde abgebrochen, oder Sie dürfen diese Anwendung nicht benutzen. Versuchen Sie es noch einmal, oder bitten Sie um Zugriff.`,
    notSignedIn: (provider) => `${provider} hat Sie nicht angemeldet. Versuchen Sie es noch einmal. ${tellOperators}`,
  },
  tryAgainLater,
  tryAgainIn(seconds) {
    const [count, one, several] =
      seconds < 60 ? [seconds, 'Sekunde', 'Sekunden'] : [Math.ceil(seconds / 60), 'Minute', 'Minuten']
    return `Versuchen Sie es in ${count} ${count === 1 ? one : several} noch einmal.`
  },
  refusals: {
    ERR_AUTH_SEVERAL_CREDENTIALS: 'Löschen Sie die Cookies dieser Seite, und melden Sie sich erneut an.',
    ERR_PATH_AMBIGUOUS: 'Diese Adresse ist nicht eindeutig und wird deshalb nicht geöffnet.',
    ERR_REQUEST_INVALID:
      'Die Anfrage ist unvollständig oder ungültig. Öffnen Sie die Seite neu, und versuchen Sie es noch einmal.',
    ERR_SIGN_IN_ENDED: `${signInEnded} Melden Sie sich erneut an.`,
    ERR_NAME_INVALID: 'Dieser Name ist nicht zulässig.',
    ERR_PASSWORD_INVALID: 'Dieses Passwort ist nicht zulässig.',
    ERR_PASSWORD_WRONG: 'Das bisherige Passwort ist falsch.',
    ERR_USER_EXISTS: 'Es gibt bereits ein Konto mit diesem Namen.',
    ERR_ROLE_EXISTS: 'Es gibt bereits eine Rolle mit diesem Namen.',
    ERR_CONFIG_CHANGED: 'Die Konfigurationsdatei hat sich inzwischen geändert.',
    ERR_CONFIG_INVALID: 'Die Konfiguration ist fehlerhaft und wurde nicht übernommen.',
    ERR_AUTH_REQUIRED: 'Melden Sie sich zuerst an.',
    ERR_AUTH_INVALID_CREDENTIALS: 'Der Benutzername oder das Passwort ist falsch.',
    ERR_TOKEN_INVALID: 'Das Zugriffstoken ist ungültig.',
    ERR_SESSION_ENDED: 'Ihre Sitzung ist beendet. Melden Sie sich erneut an.',
    ERR_IP_NOT_ALLOWED: 'Zugriffe von dieser Adresse sind nicht erlaubt.',
    ERR_ADMIN_REQUIRED: 'Dieser Bereich ist Administratoren vorbehalten.',
    ERR_IMPERSONATION: 'Die Anmeldung als andere Person ist nicht erlaubt.',
    ERR_SECOND_FACTOR_REQUIRED: 'Dieses Konto benötigt einen zweiten Faktor.',
    ERR_ROLE_REQUIRED: noRights,
    ERR_SCOPE_REQUIRED: noRights,
    ERR_PATH_DENIED: 'Der Zugriff auf diese Adresse ist nicht erlaubt.',
    ERR_READ_ONLY: 'Nur Administratoren dürfen hier etwas ändern.',
    ERR_HTTPS_REQUIRED: 'Passwörter werden nur über HTTPS angenommen. Öffnen Sie diese Seite mit https.',
    ERR_CROSS_SITE:
      'Die Anfrage kam nicht von einer Seite dieser Website. Öffnen Sie die Seite neu, und versuchen Sie es noch einmal.',
    ERR_SIGN_IN_REFUSED: 'Die Anmeldung wurde abgelehnt.',
    ERR_USERS_NOT_MANAGEABLE: 'Benutzer können hier nicht verwaltet werden.',
    ERR_USER_PROTECTED: 'Dieses Konto ist geschützt und kann nicht geändert werden.',
    ERR_NOT_FOUND: 'Diese Seite gibt es nicht.',
    ERR_METHOD_NOT_ALLOWED: 'Diese Adresse kann auf diese Weise nicht geöffnet werden.',
    ERR_BODY_TOO_LARGE: 'Die Anfrage ist zu groß.',
    ERR_MEDIA_TYPE_UNSUPPORTED: 'Dieses Datenformat wird nicht angenommen.',
    ERR_LOGIN_THROTTLED: `Zu viele fehlgeschlagene Anmeldungen. ${tryAgainLater}`,
    ERR_HEADERS_TOO_MANY: 'Die Anfrage hat zu viele Kopfzeilen.',
    ERR_IDENTITY_PROVIDER: 'Die Anmeldung beim Identitätsanbieter ist fehlgeschlagen.',
    ERR_STORE_UNAVAILABLE: `Der Dienst ist im Moment nicht verfügbar. ${tryAgainLater}`,
    ERR_AUDIT_UNAVAILABLE: `Der Dienst ist im Moment nicht verfügbar. ${tryAgainLater}`,
    ERR_STREAMS_TOO_MANY: `Im Moment verfolgen zu viele Seiten die Ereignisse. ${tryAgainLater}`,
    ERR_TOKEN_STORE_FULL: `Im Moment sind zu viele Personen angemeldet. ${tryAgainLater}`,
    ERR_LOGIN_OVERLOADED: overloaded,
    ERR_TRUST_PROXY_UNSAFE: 'Der Server ist nicht sicher eingerichtet. Der Betreiber findet den Grund im Protokoll.',
    ERR_INTERNAL: 'Die Anfrage konnte nicht geprüft werden.',
    ERR_MOUNT_PATH: 'Der Server ist nicht richtig eingerichtet. Der Betreiber findet den Grund im Protokoll.',
  },
}
