import { beforeEach, describe, expect, it } from "@jest/globals";
import { ControlStory } from "./control-story.ts";
import { controlSubjectOf } from "./subject.ts";

const shop = { hostname: "www.example.com", appName: "shop", appId: "app-1" };
const blog = { hostname: "www.example.com", appName: "blog", appId: "app-2" };
const claim = { type: "ClaimHostname", ...shop, atMs: 1 } as const;
const accepted = { kind: "accepted" };

let story: ControlStory;
beforeEach(() => {
  story = new ControlStory();
});

describe("a hostname", () => {
  it("belongs to one app at a time, and goes to another once it was released", () => {
    expect(story.tell(claim)).toMatchObject(accepted);
    expect(story.tell({ ...claim, atMs: 2 })).toEqual({ kind: "unchanged" });
    const rival = { type: "ClaimHostname", ...blog, atMs: 3 } as const;
    expect(story.tell(rival)).toMatchObject({
      refusal: { code: "name_taken", details: { appName: "shop", appId: "app-1" } },
    });
    expect(story.tell({ type: "ReleaseHostname", ...blog })).toEqual({ kind: "unchanged" });
    expect(story.tell({ type: "ReleaseHostname", ...shop })).toMatchObject(accepted);
    expect(story.tell(rival)).toMatchObject(accepted);
  });

  it("falls free with its app, for a later app of the same name too", () => {
    story.tell(claim);
    const reborn = { ...claim, appId: "app-3" };
    expect(story.tell(reborn)).toMatchObject({ refusal: { code: "name_taken" } });
    expect(story.tell({ ...reborn, goneAppId: "app-0" })).toMatchObject({ refusal: { code: "name_taken" } });
    expect(story.tell({ ...reborn, goneAppId: "app-1" })).toMatchObject(accepted);
    expect(story.state.hostnames.get("www.example.com")).toMatchObject({ appId: "app-3" });
  });

  it("is an aggregate of its own, named by itself in one token of the subject", () => {
    expect(controlSubjectOf(claim)).toBe("evt.control.hostname.www_example_com");
  });
});
