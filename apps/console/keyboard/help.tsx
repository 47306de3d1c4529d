import { Kbd, Modal } from "@mantine/core";
import classes from "./help.module.css";
import { SHORTCUTS } from "./shortcuts.ts";

/** The keys. */
export function Help({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Keyboard" size="lg" lockScroll={false}>
      <dl className={classes.keys}>
        {SHORTCUTS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <Kbd size="xs">{keys}</Kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
