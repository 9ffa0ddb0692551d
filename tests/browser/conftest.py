from fake_page import chromium, fake_page, open_fake_page  # noqa: F401
