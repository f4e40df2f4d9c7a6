// Asks the upstream and answers what it answers, with headers of its own. What the others add, they add to this.

export default {
  async fetch(request, env) {
    const { response } = await ask(request, env);
    return new Response(response.body, { status: response.status, headers: new Headers(response.headers) });
  },
};
