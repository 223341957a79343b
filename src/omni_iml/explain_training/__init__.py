"""Fine-tuning of the interpretation module on structured explanations (C F.2): LoRA on a multimodal model (torch)."""
