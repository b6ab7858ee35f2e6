/**
 * A page that embeds the Stately inspector in a frame and forwards the messages of the socket to it. Each time the frame loads, it receives
 * everything from the start. `nonce` allows only the script and style of the page itself.
 */
export function inspectorPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Stately Inspector</title>
<style nonce="${nonce}">
  html, body { height: 100%; margin: 0; }
  body { display: flex; flex-direction: column; }
  iframe { flex: 1; border: 0; }
  p { margin: 0; padding: 0.4em 1em; font: 14px system-ui, sans-serif; }
  p:empty { display: none; }
</style>
<p id="notice" role="status">Loading the Stately inspector from stately.ai, which this browser must be able to reach.</p>
<iframe id="inspector" src="https://stately.ai/inspect" title="Stately Inspector"></iframe>
<script nonce="${nonce}">
  const frame = document.getElementById('inspector');
  const notice = document.getElementById('notice');
  let socket = null;
  addEventListener('message', ({ source, origin, data }) => {
    if (source !== frame.contentWindow || data?.type !== '@statelyai.connected') return;
    const { protocol, hostname } = new URL(origin);
    if (protocol !== 'https:' || !/(^|[.])stately[.]ai$/.test(hostname)) return;
    if (socket !== null) {
      socket.onclose = null;
      socket.close();
    }
    notice.textContent = '';
    socket = new WebSocket('ws://' + location.host);
    socket.onmessage = (message) => source.postMessage(JSON.parse(message.data), origin);
    socket.onclose = () => {
      notice.textContent = 'jamjet inspect has stopped. The messages received so far can still be viewed.';
    };
  });
</script>
</html>
`;
}

/** The Content-Security-Policy header of the page. `host` is the Host header of the request. */
export function contentSecurityPolicy(nonce: string, host: string): string {
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    `frame-src https://stately.ai https://*.stately.ai`,
    `connect-src ws://${host}`,
    `frame-ancestors 'none'`,
    `base-uri 'none'`,
  ].join('; ');
}
