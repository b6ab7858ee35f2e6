/** Work of `tool` nodes, which a runtime does itself if it has the tool. */
export const TOOL_QUEUE = 'tool';
