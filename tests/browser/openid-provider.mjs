// A real OpenID provider (the package oidc-provider) for tests/openid.rs. Its login page is replaced by requests that a
// test can send, and everything else is the package's own: discovery, PKCE, codes, error responses and ID tokens.
//
// Usage: node openid-provider.mjs ISSUER CLIENT_ID REDIRECT_URI ACR
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [issuer, clientId, redirectUri, acr] = process.argv.slice(2);
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  acrValues: [acr],
  // Members of the token that the portal does not use, in forms that several providers send: a truth value as a text, and
  // an address as a list.
  claims: { openid: ['sub', 'email_verified', 'address'], acr: null, auth_time: null },
  clients: [{ client_id: clientId, redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', grant_types: ['authorization_code'] }],
  conformIdTokenClaims: false,
  cookies: { keys: ['test'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, email_verified: 'true', address: ['none'] }) }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  jwks: { keys: [{ ...key, alg: 'RS256', use: 'sig' }] },
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});

// The test reads from this that a token had the unusual members. The persons are invented.
provider.on('grant.success', ({ body }) => console.log(Buffer.from(body.id_token.split('.')[1], 'base64url').toString()));

const answer = provider.callback();
const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  if (!pathname.startsWith('/interaction/')) return answer(request, response);
  const user = searchParams.get('user');
  try {
    const { prompt } = await provider.interactionDetails(request, response);
    if (user === null) return response.end(`prompt ${prompt.name}`);
    const result = user
      ? { login: { accountId: user, acr, remember: false } }
      : { error: 'access_denied', error_description: 'the end-user cancelled' };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
const { hostname, port } = new URL(issuer);
server.listen(Number(port), hostname, () => console.log('listening'));
