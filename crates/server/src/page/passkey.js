// Passkeys: between the server's JSON, whose byte strings are base64url, and navigator.credentials.

import { refusal } from './call.js';

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));

const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

const named = (descriptors) => (descriptors ?? []).map((descriptor) => ({ ...descriptor, id: bytes(descriptor.id) }));

/** Can this browser use passkeys on this page? None belongs to an address. */
export const usable = 'PublicKeyCredential' in window && !/^[\d.]+$|^\[/.test(location.hostname);

/** Whoever declines may try again. */
async function asked(credential) {
  try {
    return await credential;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const exists = error.name === 'InvalidStateError';
    throw refusal(exists ? 'This device has a passkey for your account already' : 'No passkey was used. Please try again');
  }
}

/** Makes a passkey: what the server wants to know of it, and where its authenticator is. */
export async function create(options) {
  const { challenge, user, excludeCredentials } = options;
  const publicKey = {
    ...options,
    challenge: bytes(challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: named(excludeCredentials),
  };
  const made = await asked(navigator.credentials.create({ publicKey }));
  const { clientDataJSON, attestationObject } = made.response;
  return {
    deviceType: made.authenticatorAttachment === 'platform' ? 'Platform' : 'CrossPlatform',
    options: {
      id: made.id,
      response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) },
    },
  };
}

/** Has a passkey sign: what the server wants to know of it. */
export async function get(options) {
  const { challenge, allowCredentials } = options;
  const publicKey = { ...options, challenge: bytes(challenge), allowCredentials: named(allowCredentials) };
  const signed = await asked(navigator.credentials.get({ publicKey }));
  const { clientDataJSON, authenticatorData, signature, userHandle } = signed.response;
  return {
    id: signed.id,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
}
