if size :over 120 { discard; }
