/** What can be done with a post at once: copy its link, open it where it was published. */

import { useState } from "preact/hooks";

import type { Post } from "../api";
import { platformLook } from "../platforms";
import { Check, External, Link } from "./Icons";

function CopyLink({ url }: { url: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(url);
    setCopied(true);
    window.setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <button
      type="button"
      class="action"
      aria-label={copied ? "Link copied" : "Copy the post's link"}
      title="Copy link"
      onClick={() => void copy()}
    >
      {copied ? <Check /> : <Link />}
    </button>
  );
}

export function PostActions({ post }: { post: Post }) {
  if (!post.url || post.is_deleted) return null;
  const { label } = platformLook(post.platform);
  return (
    <>
      <CopyLink url={post.url} />
      <a
        class="action"
        href={post.url}
        target="_blank"
        rel="noopener noreferrer"
        aria-label={`Open on ${label} (new tab)`}
        title={`Open on ${label}`}
      >
        <External />
      </a>
    </>
  );
}
